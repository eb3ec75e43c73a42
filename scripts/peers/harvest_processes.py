# SPDX-License-Identifier: Apache-2.0
"""Whole processes, each started anew to draw one picture of a folder and to write it: freeatm (which harvests its masks as well), diffusers and
stable-diffusion.cpp, in fp32 and, apart, in half precision. Each runs once before the first round, so that programs and weights are in the page cache."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import tables

HERE = Path(__file__).resolve().parent
PRECISIONS = {"fp32": {"freeatm": "fp32", "diffusers": "float32", "stable-diffusion.cpp": "f32"},
              "half precision": {"freeatm": "bf16", "diffusers": "bfloat16", "stable-diffusion.cpp": "f16"}}


class Process:
    """One contestant: seconds of a run, and what its runs with most steps took besides."""

    def __init__(self, program, dtype, options, model, caption):
        self.program, self.dtype, self.options, self.model, self.caption = program, dtype, options, model, caption
        self.processor, self.resident, self.anonymous = [], [], []

    def command(self, steps, folder):
        if self.program == "freeatm":
            (folder / "captions.txt").write_text(self.caption + "\n")
            return [self.options.freeatm, "harvest", f"diffusion.path={self.model}", f"captions={folder}/captions.txt", "count=1", "batch_size=1",
                    f"sampler.steps={steps}", "sampler.guidance_scale=4", f"dtype={self.dtype}", f"out={folder}/harvest"]
        script = {"diffusers": "diffusers_picture.py", "stable-diffusion.cpp": "sd_cpp_picture.py"}[self.program]
        side = json.loads((self.model / "unet/config.json").read_text())["sample_size"] * 8
        return [sys.executable, HERE / script, self.model, steps, side, self.dtype, self.options.threads, folder / "picture.png", self.caption]

    def measure(self, steps):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            command = [sys.executable, HERE / "whole_process.py", folder / "log", *self.command(steps, folder)]
            out = subprocess.run([str(word) for word in command], env=os.environ | {"OMP_NUM_THREADS": str(self.options.threads)}, check=True,
                                 stdout=subprocess.PIPE).stdout
            figures = json.loads(out)
            if figures["code"] != 0:
                raise SystemExit(f"{self.program} failed: {(folder / 'log').read_text()[-2000:]}")
        return figures

    def seconds(self, steps):
        figures = self.measure(steps)
        if steps == max(self.options.steps):
            for name in ("processor", "resident", "anonymous"):
                getattr(self, name).append(figures[name])
        return figures["seconds"]


def run(options, model, caption):
    contests = {precision: {f"{program} ({dtype})": Process(program, dtype, options, model, caption) for program, dtype in dtypes.items()}
                for precision, dtypes in PRECISIONS.items()}
    for precision, contestants in contests.items():
        for process in contestants.values():
            process.measure(min(options.steps))
        title = f"A whole process, {precision}"
        tables.compare_steps(title, {name: process.seconds for name, process in contestants.items()}, options.steps, options.rounds)
        most = max(options.steps)
        for what, unit in (("processor", "s"), ("resident", "MiB"), ("anonymous", "MiB")):
            kind = {"processor": "processor time", "resident": "peak memory, resident", "anonymous": "peak memory, anonymous"}[what]
            tables.print_table(f"{title}, {most} steps, {kind}", unit, {name: getattr(process, what) for name, process in contestants.items()})
