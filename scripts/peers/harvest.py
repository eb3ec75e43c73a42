# SPDX-License-Identifier: Apache-2.0
"""Drawing pictures: the Sampler of freeatm (bench/diffusion_bench.cpp; build it first: ninja -C build/release freeatm_bench) beside
diffusers' StableDiffusionPipeline, eager and with a compiled UNet, of the same folder, captions, steps, guidance and seeds; and what
harvesting adds. --model names another folder; --wide makes one of Stable Diffusion 1.5's width, with random weights, for 256 x 256, and there
DAAM is beside it (scripts/setup_peers.sh daam; it knows no prompt but of 77 tokens, so the small folder is not for it)."""
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

ROOT = Path(__file__).resolve().parents[2]
CAPTION = "a photo of a dog and an apple on the grass"


def add_arguments(parser):
    parser.add_argument("--model", type=Path, default=ROOT / "models/emoji")
    parser.add_argument("--wide", action="store_true", help="a folder of Stable Diffusion 1.5's width instead, two steps, batch 1")


def make_wide_folder(folder):
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(ROOT / "models/emoji/tokenizer", model_max_length=77)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(tokenizer), hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                                        max_position_embeddings=tokenizer.model_max_length))
    unet = UNet2DConditionModel(sample_size=32, cross_attention_dim=768, attention_head_dim=8)
    vae = AutoencoderKL(block_out_channels=(128, 256, 512, 512), down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                        layers_per_block=2, latent_channels=4)
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    StableDiffusionPipeline(vae, text, tokenizer, unet, scheduler, None, None, requires_safety_checker=False).save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):  # what DAAM's transformers reads instead of tokenizer.json
        shutil.copy(ROOT / "models/emoji/tokenizer" / name, folder / "tokenizer")


class Ours:
    """One run of freeatm_bench; seconds a batch, and the peak of its memory."""

    def __init__(self, options, model, steps):
        self.program = options.freeatm.parent / "bench/freeatm_bench"
        self.environment = os.environ | {"FREEATM_BENCH_MODEL": str(model), "FREEATM_BENCH_STEPS": str(steps), "OMP_NUM_THREADS": str(options.threads)}
        self.peaks = {}

    def measure(self, name):
        command = [self.program, f"--benchmark_filter=^{re.escape(name)}$", "--benchmark_format=json", "--benchmark_min_time=2"]
        out = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        return json.loads(out)["benchmarks"][0]

    def seconds(self, batch, harvest):
        figures = self.measure(f"sample/batch:{batch}/harvest:{harvest}/real_time")
        self.peaks[batch, harvest] = max(self.peaks.get((batch, harvest), 0), figures["peak_memory"])
        return figures["real_time"] / 1000

    def print_shares(self, batch):
        figures = self.measure(f"sample_shares/batch:{batch}/real_time")
        whole = figures["real_time"] / 1000
        shares = {name: figures[name] / whole for name in ("convolution", "matmul", "attention", "other")}
        shares["outside of LibTorch"] = 1 - sum(shares.values())
        print(f"\nShares of the time of a batch of {batch}: " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))


class Daam:
    """scripts/peers/daam_seconds.py in its own environment: a run gives both of its figures, so they take turns inside it."""

    def __init__(self, model, steps, threads):
        self.command = [ROOT / ".deps/daam/bin/python", ROOT / "scripts/peers/daam_seconds.py", model, str(steps), str(threads)]

    def ratio(self):
        out = subprocess.run(self.command, check=True, capture_output=True, text=True).stdout
        seconds = json.loads(out.splitlines()[-1])
        return seconds["on"] / seconds["off"]


class Peer:
    def __init__(self, model, steps, compiled):
        self.steps = steps
        self.pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)
        self.pipeline.set_progress_bar_config(disable=True)
        if compiled:
            self.pipeline.unet = torch.compile(self.pipeline.unet)

    def draw(self, batch):
        generators = [torch.Generator().manual_seed(seed) for seed in range(batch)]
        self.pipeline([CAPTION] * batch, num_inference_steps=self.steps, guidance_scale=4.0, generator=generators, output_type="np")

    def seconds(self, batch):
        self.draw(batch)
        start, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() - start < 2:
            self.draw(batch)
            count += 1
        return (time.perf_counter() - start) / count


def run(options, compare):
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        model, steps, batches = (Path(folder), 2, [1]) if options.wide else (options.model, 25, [1, 16])
        if options.wide:
            make_wide_folder(model)
        ours, eager = Ours(options, model, steps), Peer(model, steps, False)
        compiled = None if options.no_compile else Peer(model, steps, True)
        for batch in batches:
            contestants = {"freeatm": lambda: ours.seconds(batch, 0), "diffusers, eager": lambda: eager.seconds(batch)}
            if compiled:
                contestants["diffusers, torch.compile"] = lambda: compiled.seconds(batch)
            compare(f"Drawing a batch of {batch}, {steps} steps", "s", contestants, options.rounds)
            compare(f"Harvesting while drawing a batch of {batch}", "s",
                    {"off": lambda: ours.seconds(batch, 0), "on": lambda: ours.seconds(batch, 1),
                     "on, with self-attention": lambda: ours.seconds(batch, 2)}, options.rounds)
            peaks = [ours.peaks[batch, harvest] for harvest in range(3)]
            print(f"\nPeak memory, MiB: off {peaks[0]:.0f}, on {peaks[1]:.0f} ({peaks[1] / peaks[0]:.3f}), with self-attention "
                  f"{peaks[2]:.0f} ({peaks[2] / peaks[0]:.3f})")
            ours.print_shares(batch)
        daam = Daam(model, steps, options.threads)
        if options.wide and daam.command[0].exists():
            ratios = [daam.ratio() for _ in range(options.rounds)]
            print(f"\nDAAM, with heat maps of two words over without: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")
