# SPDX-License-Identifier: Apache-2.0
"""Two ranks of one thread each on this machine: training of MAE and of MoCo v3 (norms of each rank by itself) from picture files, beside
DistributedDataParallel over Gloo with a DataLoader; what two ranks gain over one in training and in a harvest; the share of a step in
which ranks wait for each other."""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import masked, train  # noqa: E402

WARM_UP, STEPS, RANKS = 4, 12, 2
BATCH = {"mae": 128, "moco": 64}
EXPERIMENTS = {"mae": ["experiment=nano_mae"], "moco": ["experiment=nano_moco", "trainer.sync_norm=false"]}


class Moco(nn.Module):
    """train.Peer's model as one module, which is what DDP wraps; keys are gathered from all ranks."""

    def __init__(self):
        super().__init__()
        peer = train.Peer("nano", False)
        self.query = nn.Sequential(peer.backbone, peer.projector, peer.predictor)
        self.key = nn.Sequential(peer.momentum_backbone, peer.momentum_projector)
        self.following, self.trained = peer.following, peer.trained
        self.mean, self.deviation, self.temperature = peer.mean, peer.deviation, peer.temperature

    def forward(self, views):
        x = [((view.float() - self.mean) / self.deviation).permute(0, 3, 1, 2) for view in views]
        q = [F.normalize(self.query(view), dim=1) for view in x]
        with torch.no_grad():
            k = [gathered(F.normalize(self.key(view), dim=1)) for view in x]
        own = torch.arange(len(q[0])) + torch.distributed.get_rank() * len(q[0])
        contrast = lambda query, key: F.cross_entropy(query @ key.t() / self.temperature, own) * 2 * self.temperature
        return contrast(q[0], k[1]) + contrast(q[1], k[0])


def gathered(x):
    parts = [torch.empty_like(x) for _ in range(RANKS)]
    torch.distributed.all_gather(parts, x)
    return torch.cat(parts)


class Mae(masked.Mae):
    def forward(self, views):
        return super().forward(views[0], torch.rand(len(views[0]), self.patches))


def worker(kind, files):
    """One rank of the peer; the first one prints seconds a step."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    torch.manual_seed(0)
    model = Moco() if kind == "moco" else Mae(**masked.MODELS["nano"])
    ddp = nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-3, weight_decay=0.05, fused=True)
    pictures = train.Pictures(sorted(Path(files).iterdir()), train.SIDE)
    sampler = torch.utils.data.DistributedSampler(pictures)
    batches = train.endless(torch.utils.data.DataLoader(pictures, BATCH[kind] // RANKS, sampler=sampler, num_workers=1, persistent_workers=True, drop_last=True))
    seconds = []
    for _ in range(WARM_UP + STEPS):
        start = time.perf_counter()
        loss = ddp(next(batches))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if kind == "moco":
            with torch.no_grad():
                torch._foreach_lerp_(model.following, model.trained, 0.01)
        seconds.append(time.perf_counter() - start)
    if torch.distributed.get_rank() == 0:
        print(float(np.median(seconds[WARM_UP:])), flush=True)
    os._exit(0)  # the loader's processes need not be waited for


def peer_seconds(kind, files):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={RANKS}", __file__, kind, str(files)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Freeatm:
    def __init__(self, options, folder):
        self.program, self.folder, self.shares = options.freeatm, folder, {}

    def run(self, *words, threads=1):
        subprocess.run([self.program, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": str(threads)})

    def seconds_a_step(self, kind, ranks):
        out = self.folder / "run"
        subprocess.run(["rm", "-rf", out], check=True)
        self.run("pretrain", *EXPERIMENTS[kind], f"data.root={self.folder}/world/scenes", f"out={out}", f"trainer.steps={WARM_UP + STEPS}", "trainer.epochs=null",
                 "trainer.log_every=1", f"loader.batch_size={BATCH[kind] * ranks // RANKS}", f"trainer.processes={ranks}")
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        lines = [line for line in lines if "samples_per_second" in line][WARM_UP:]
        self.shares.setdefault(kind, []).extend(line["rank0/communication_share"] for line in lines if ranks > 1)
        return float(np.median([BATCH[kind] * ranks // RANKS / line["samples_per_second"] for line in lines]))

    def harvest_seconds(self, ranks):
        out = self.folder / "harvest"
        subprocess.run(["rm", "-rf", out], check=True)
        start = time.perf_counter()
        self.run("harvest", "diffusion.path=models/emoji", "captions=models/emoji/captions.txt", "count=64", "shard_size=16", "threads=1", f"out={out}", f"processes={ranks}")
        return time.perf_counter() - start


def run(options, compare):
    with tempfile.TemporaryDirectory() as name:
        ours = Freeatm(options, Path(name))
        ours.run("world", f"out={name}/world", "count=2048", "eval_count=8", threads=2)
        files = Path(name) / "world/scenes/train"
        for kind, title in (("mae", "MAE"), ("moco", "MoCo v3")):
            compare(f"{title}, nano, {BATCH[kind]} pictures of {train.SIDE} pixels, two ranks of one thread", "s a step",
                    {"freeatm": lambda: ours.seconds_a_step(kind, RANKS), "PyTorch, DDP": lambda: peer_seconds(kind, files)}, options.rounds)
            compare(f"{title}: each rank has as much as one alone", "s a step",
                    {"two ranks": lambda: ours.seconds_a_step(kind, RANKS), "one": lambda: ours.seconds_a_step(kind, 1)}, options.rounds)
            print(f"\nranks wait for each other in {100 * np.mean(ours.shares[kind]):.1f}% of a step", flush=True)
        compare("Harvest of 64 pictures, ranks of one thread", "s", {"two ranks": lambda: ours.harvest_seconds(2), "one": lambda: ours.harvest_seconds(1)}, options.rounds)


if __name__ == "__main__":  # a rank of the peer: torchrun ... scripts/peers/ranks.py mae|moco FOLDER
    worker(*sys.argv[1:])
