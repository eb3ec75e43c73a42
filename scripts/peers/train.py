# SPDX-License-Identifier: Apache-2.0
"""Pretraining: a step of MoCo v3 on views that lie in memory, beside the same in PyTorch, eager and compiled; whole training from
picture files (`freeatm pretrain` beside PyTorch fed by a DataLoader); the loader alone at 224 pixels, JPEG; what of a step is not the
loss; memory."""
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2

BATCH, SIDE = 64, 64
WARM_UP, STEPS = 4, 12
MODELS = {"nano": "resnet10_nano", "resnet18": "resnet18"}


def peak_memory(pid="self"):
    """MiB; not getrusage's, which a child of a large process inherits."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0


class Freeatm:
    def __init__(self, options, folder):
        self.options, self.folder, self.peak, self.waited = options, folder, {}, []

    def bench(self, name, environment=(), peak=None):
        """peak: under this name the process's peak memory is kept"""
        program = self.options.freeatm.parent / "bench/freeatm_bench"
        command = [program, f"--benchmark_filter=^{re.escape(name)}$", "--benchmark_format=json", "--benchmark_min_time=3"]
        with subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": str(self.options.threads)} | dict(environment), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            if peak:
                self.watch(process, peak)
            out = process.communicate()[0]
        if process.returncode != 0:
            sys.exit(f"{program} failed: {command}")
        return json.loads(out)["benchmarks"][0]

    def watch(self, process, name):
        while process.poll() is None:
            try:
                self.peak[name] = max(self.peak.get(name, 0), peak_memory(process.pid))
            except FileNotFoundError:
                break
            time.sleep(0.05)

    def seconds_a_step(self, model):
        out = self.folder / "run"
        command = [self.options.freeatm, "pretrain", "experiment=nano_moco", f"model={MODELS[model]}", f"data.root={self.folder}/world/scenes",
                   f"out={out}", "resume=never", f"trainer.steps={WARM_UP + STEPS}", "trainer.epochs=null", "trainer.log_every=1", f"loader.batch_size={BATCH}"]
        subprocess.run(["rm", "-rf", out], check=True)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": str(self.options.threads)}) as process:
            self.watch(process, model)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        lines = [line for line in lines if "samples_per_second" in line][WARM_UP:]
        self.waited += [line["wait_share"] for line in lines]
        return float(np.median([BATCH / line["samples_per_second"] for line in lines]))


def mlp(inputs, hidden, outputs, last_norm):
    layers = [nn.Linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, outputs, bias=False)]
    return nn.Sequential(*layers, *([nn.BatchNorm1d(outputs, affine=False)] if last_norm else []))


def make_backbone(model):
    if model in ("resnet18", "resnet50"):
        backbone = getattr(torchvision.models, model)()
        channels, backbone.fc = backbone.fc.in_features, nn.Identity()
        return backbone, channels
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "baselines"))
    from resnet import nano
    return nano(), 128


class Peer:
    """MoCo v3 as a careful user writes it: channels_last, fused AdamW, foreach momentum update, views as bytes, autocast for bf16."""

    def __init__(self, model, compiled, batch=BATCH, side=SIDE, device="cpu", dtype=torch.float32):
        torch.manual_seed(0)
        hidden, dimensions, self.temperature = (4096, 256, 1.0) if model == "resnet50" else (512, 128, 0.2)
        self.device, self.dtype = torch.device(device), dtype
        self.backbone, channels = make_backbone(model)
        self.momentum_backbone, _ = make_backbone(model)
        self.projector, self.momentum_projector = (mlp(channels, hidden, dimensions, True).to(device) for _ in range(2))
        self.predictor = mlp(dimensions, hidden, dimensions, False).to(device)
        for module in (self.backbone, self.momentum_backbone):
            module.to(device, memory_format=torch.channels_last)
        self.trained = [*self.backbone.parameters(), *self.projector.parameters()]
        self.following = [*self.momentum_backbone.parameters(), *self.momentum_projector.parameters()]
        for parameter in self.following:
            parameter.requires_grad_(False)
        self.optimizer = torch.optim.AdamW([*self.trained, *self.predictor.parameters()], 2e-3, weight_decay=0.05, fused=True)
        self.views = [torch.randint(256, (batch, side, side, 3), dtype=torch.uint8, device=device) for _ in range(2)]
        self.mean, self.deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], device=device).mul(255)
        encode = lambda x: self.predictor(self.projector(self.backbone(x)))
        encode_momentum = lambda x: self.momentum_projector(self.momentum_backbone(x))
        self.encode, self.encode_momentum = (torch.compile(encode), torch.compile(encode_momentum)) if compiled else (encode, encode_momentum)

    def contrast(self, query, key):
        logits = query @ key.t() / self.temperature
        return F.cross_entropy(logits, torch.arange(len(query), device=query.device)) * 2 * self.temperature

    def loss(self, views):
        x = [((view.float() - self.mean) / self.deviation).permute(0, 3, 1, 2) for view in views]
        q = [F.normalize(self.encode(view), dim=1) for view in x]
        with torch.no_grad():
            k = [F.normalize(self.encode_momentum(view), dim=1) for view in x]
        return self.contrast(q[0], k[1]) + self.contrast(q[1], k[0])

    def step(self, views):
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            loss = self.loss(views)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.following, self.trained, 0.01)

    def seconds_a_step(self, batches=None):
        """batches: an iterator; None: views that lie in memory"""
        seconds = []
        for _ in range(WARM_UP + STEPS):
            start = time.perf_counter()
            self.step(next(batches) if batches else self.views)
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds[WARM_UP:]))


def write_pictures(folder, count=256):
    """JPEGs as large as ImageNet's are on average, with smooth parts and noise."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:375, 0:500]
    (folder / "train/a").mkdir(parents=True)
    for i in range(count):
        waves = [np.sin(x * random.uniform(0.01, 0.05)) + np.cos(y * random.uniform(0.01, 0.05)) for _ in range(3)]
        pixels = 128 + 50 * np.stack(waves, 2) + random.normal(0, 6, (375, 500, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"train/a/{i:04}.jpg", quality=90)


class TwoViews:
    def __init__(self, side):
        jitter = v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.2, 0.1)], 0.8)
        blur = v2.RandomApply([v2.GaussianBlur(7, (0.1, 2.0))], 0.5)
        self.chain = v2.Compose([v2.RandomResizedCrop(side, (0.2, 1.0), antialias=True), jitter, v2.RandomGrayscale(0.2), blur, v2.RandomHorizontalFlip()])

    def __call__(self, picture):
        tensor = v2.functional.pil_to_tensor(picture)  # on tensors: faster than on PIL's pictures
        return self.chain(tensor), self.chain(tensor)


class Pictures(torch.utils.data.Dataset):
    def __init__(self, files, side):
        self.files, self.views = files, TwoViews(side)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as picture:
            return self.views(picture.convert("RGB"))


def data_loader(files, side, batch, workers):
    return torch.utils.data.DataLoader(Pictures(sorted(files), side), batch, shuffle=True, num_workers=workers, persistent_workers=True, drop_last=True)


def endless(loader):
    while True:
        for views in loader:
            yield [view.permute(0, 2, 3, 1) for view in views]


def loader_seconds_a_picture(root, workers):
    loader = data_loader((root / "train/a").iterdir(), 224, 32, workers)
    for _ in loader:  # starts the workers
        pass
    start, pictures = time.perf_counter(), 0
    while time.perf_counter() - start < 3:
        for view, _ in loader:
            pictures += len(view)
    return (time.perf_counter() - start) / pictures


def run(options, compare):
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = Freeatm(options, folder)
        subprocess.run([options.freeatm, "world", f"out={folder}/world", "count=2048", "eval_count=8"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for blocks, model in ((1, "nano"), (2, "resnet18")):
            title = f"{model}, {BATCH} pictures of {SIDE} pixels"
            eager, compiled = Peer(model, False), None if options.no_compile else Peer(model, True)
            contestants = {"freeatm": lambda: ours.bench(f"moco_step/blocks:{blocks}/real_time")["real_time"] / 1000, "PyTorch, eager": eager.seconds_a_step}
            if compiled:
                contestants["PyTorch, torch.compile"] = compiled.seconds_a_step
            compare(f"MoCo v3's step, {title}", "s", contestants, options.rounds)
            batches = endless(data_loader((folder / "world/scenes/train").iterdir(), SIDE, BATCH, 1))
            contestants = {"freeatm": lambda: ours.seconds_a_step(model), "PyTorch, eager, DataLoader": lambda: eager.seconds_a_step(batches)}
            if compiled:
                contestants["PyTorch, torch.compile, DataLoader"] = lambda: compiled.seconds_a_step(batches)
            compare(f"MoCo v3's training, from picture files, one loader thread or process, {title}", "s a step", contestants, options.rounds)
            peer = subprocess.run([sys.executable, __file__, model, str(options.threads)], check=True, capture_output=True, text=True).stdout
            whole, updates = (ours.bench(f"moco_{part}/blocks:{blocks}/real_time")["real_time"] for part in ("step", "updates"))
            print(f"\nwaited for data {100 * np.mean(ours.waited):.2f}% of freeatm's training; clipping, AdamW, EMA and momentum encoder {100 * updates / whole:.2f}% of a step;\n"
                  f"peak memory, MiB: freeatm {ours.peak[model]:.0f}, PyTorch, eager {float(peer):.0f}", flush=True)
        write_pictures(folder / "pictures")
        name = f"moco_loader/workers:{options.threads}/real_time"
        pictures = [("FREEATM_BENCH_PICTURES", str(folder / "pictures"))]
        compare(f"Two views of 224 pixels from JPEG files, {options.threads} workers", "s a picture",
                {"freeatm": lambda: 1 / ours.bench(name, pictures)["items_per_second"],
                 "torchvision's DataLoader": lambda: loader_seconds_a_picture(folder / "pictures", options.threads)}, options.rounds)


if __name__ == "__main__":  # the peak of a process that does nothing else: python scripts/peers/train.py MODEL THREADS
    torch.set_num_threads(int(sys.argv[2]))
    step = Peer(sys.argv[1], False)
    for _ in range(WARM_UP + STEPS):
        step.step(step.views)
    print(peak_memory())
