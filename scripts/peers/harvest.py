# SPDX-License-Identifier: Apache-2.0
"""Drawing pictures: the Sampler of freeatm (bench/diffusion_bench.cpp) beside
diffusers' StableDiffusionPipeline, eager and with a compiled UNet, of the same folder, captions, steps, guidance and seeds; and what
harvesting adds. --model names another folder.

--wide does it at Stable Diffusion 1.5's width, with random weights: first whole processes of 256 x 256 (peers/harvest_processes.py), then steps
within one process, at --sides and --batches of your choice, then what harvesting adds, and DAAM beside it (scripts/setup_peers.sh daam; it knows
no prompt but of 77 tokens, so the small folder is not for it)."""
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from . import harvest_processes, tables, wide_folder

ROOT = Path(__file__).resolve().parents[2]
CAPTION = "a photo of a dog and an apple on the grass"


def add_arguments(parser):
    parser.add_argument("--model", type=Path, default=ROOT / "models/emoji")
    parser.add_argument("--wide", type=Path, nargs="?", const=Path(), metavar="FOLDER",
                        help="a folder of Stable Diffusion 1.5's width instead (made there where it is not yet; none: a temporary one)")
    parser.add_argument("--parts", nargs="+", choices=("processes", "steps", "harvest"), default=("processes", "steps", "harvest"), help="of --wide")
    parser.add_argument("--steps", type=int, nargs=2, default=(2, 4), help="of --wide: fewer and more, whose difference tells a step's time")
    parser.add_argument("--sides", type=int, nargs="+", default=[256], help="of --wide's steps within one process: pixels (512: minutes a round)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1], help="of --wide's steps within one process: those that freeatm_bench has")


class Ours:
    """One run of freeatm_bench; seconds a batch, and the peak of its memory."""

    def __init__(self, options, model, steps):
        self.program = options.freeatm.parent / "bench/freeatm_bench"
        self.environment = os.environ | {"FREEATM_BENCH_MODEL": str(model), "FREEATM_BENCH_STEPS": str(steps), "OMP_NUM_THREADS": str(options.threads)}
        self.peaks = {}

    def check_batches(self, batches):
        names = subprocess.run([self.program, "--benchmark_list_tests"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        for batch in batches:
            if f"sample/batch:{batch}/harvest:0/real_time" not in names:
                raise SystemExit(f"freeatm_bench draws no batches of {batch}: bench/diffusion_bench.cpp names those that it does")

    def measure(self, name):
        command = [self.program, f"--benchmark_filter=^{re.escape(name)}$", "--benchmark_format=json", "--benchmark_min_time=2",
                   "--benchmark_min_warmup_time=0.01"]
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
    """compiled: what torch.compile makes of eager's UNet; the rest is eager's, so that the weights are in memory once."""

    def __init__(self, model, eager=None, device="cpu", dtype=torch.float32):
        if eager:
            self.pipeline = StableDiffusionPipeline(**eager.pipeline.components, requires_safety_checker=False)
            self.pipeline.unet = torch.compile(self.pipeline.unet, dynamic=False)
        else:
            self.pipeline = StableDiffusionPipeline.from_pretrained(model, dtype=dtype, safety_checker=None).to(device)
        self.pipeline.set_progress_bar_config(disable=True)
        self.warm = set()

    def draw(self, batch, steps, side):
        generators = [torch.Generator().manual_seed(seed) for seed in range(batch)]
        self.pipeline([CAPTION] * batch, num_inference_steps=steps, height=side, width=side, guidance_scale=4.0, generator=generators, output_type="np")

    def seconds(self, batch, steps, side=None):
        if (batch, side) not in self.warm:
            self.draw(batch, 1, side)
            self.warm.add((batch, side))
        start, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() - start < 2:
            self.draw(batch, steps, side)
            count += 1
        return (time.perf_counter() - start) / count


def peers(options, model):
    """Name -> Peer."""
    torch.set_num_threads(options.threads)
    eager = Peer(model)
    return {"diffusers, eager": eager} | ({} if options.no_compile else {"diffusers, torch.compile": Peer(model, eager)})


def run_steps(options, model):
    contestants = peers(options, model)
    with tempfile.TemporaryDirectory() as folder:
        for side in options.sides:
            of_side = wide_folder.of_side(model, side, Path(folder) / str(side))
            for batch in options.batches:
                runs = {"freeatm": lambda steps: Ours(options, of_side, steps).seconds(batch, 0)}
                runs |= {name: lambda steps, peer=peer: peer.seconds(batch, steps, side) for name, peer in contestants.items()}
                tables.compare_steps(f"A batch of {batch}, {side} px, within one process", runs, options.steps, options.rounds)


def run_harvest(options, ours, batch, compare):
    compare(f"Harvesting while drawing a batch of {batch}", "s",
            {"off": lambda: ours.seconds(batch, 0), "on": lambda: ours.seconds(batch, 1),
             "on, with self-attention": lambda: ours.seconds(batch, 2)}, options.rounds)
    peaks = [ours.peaks[batch, harvest] for harvest in range(3)]
    print(f"\nPeak memory, MiB: off {peaks[0]:.0f}, on {peaks[1]:.0f} ({peaks[1] / peaks[0]:.3f}), with self-attention "
          f"{peaks[2]:.0f} ({peaks[2] / peaks[0]:.3f})")
    ours.print_shares(batch)


def run_wide(options, model, compare):
    if "steps" in options.parts:
        Ours(options, model, 2).check_batches(options.batches)
    if not (model / "model_index.json").exists():
        wide_folder.make_wide_folder(model)
        os.sync()
    if "processes" in options.parts:
        harvest_processes.run(options, model, CAPTION)
    if "steps" in options.parts:
        run_steps(options, model)
    if "harvest" in options.parts:
        run_harvest(options, Ours(options, model, 2), 1, compare)
        daam = Daam(model, 2, options.threads)
        if daam.command[0].exists():
            ratios = [daam.ratio() for _ in range(options.rounds)]
            print(f"\nDAAM, with heat maps of two words over without: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def run(options, compare):
    if options.wide == Path():
        with tempfile.TemporaryDirectory() as folder:
            run_wide(options, Path(folder), compare)
    elif options.wide:
        run_wide(options, options.wide, compare)
    else:
        ours, contestants, steps = Ours(options, options.model, 25), peers(options, options.model), 25
        for batch in (1, 16):
            runs = {"freeatm": lambda: ours.seconds(batch, 0)}
            runs |= {name: lambda peer=peer: peer.seconds(batch, steps) for name, peer in contestants.items()}
            compare(f"Drawing a batch of {batch}, {steps} steps", "s", runs, options.rounds)
            run_harvest(options, ours, batch, compare)
