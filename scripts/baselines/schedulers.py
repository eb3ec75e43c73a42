# SPDX-License-Identifier: Apache-2.0
"""Trajectories of diffusers' DDIMScheduler for tests/diffusion/ddim_test.cpp: python scripts/baselines/schedulers.py

The "model" is a fixed function of sample and timestep, so that no weights are needed. Written to tests/diffusion/data/ddim.safetensors;
each case's config lies beside its tensors in the metadata."""
import json
from pathlib import Path

import torch
from diffusers import DDIMScheduler
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "tests/diffusion/data"

STABLE = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1)
CASES = [
    ("trailing_v", dict(STABLE, prediction_type="v_prediction", timestep_spacing="trailing"), 25, 0.0),
    ("leading_epsilon", dict(STABLE), 20, 0.0),
    ("leading_v_eta", dict(STABLE, prediction_type="v_prediction"), 10, 0.7),
    ("leading_sample_eta", dict(STABLE, prediction_type="sample"), 12, 0.4),
    ("defaults", dict(), 7, 0.0),
    ("clipped_eta", dict(clip_sample_range=0.8, timestep_spacing="trailing"), 30, 1.0),
]


def model(sample, timestep):
    return torch.sin(3 * sample) * 0.5 + sample * (timestep / 1000) + 0.1


def run(config, steps, eta, generator):
    scheduler = DDIMScheduler(**config)
    scheduler.set_timesteps(steps)
    sample = torch.randn(2, 4, 3, 5, generator=generator)
    samples, noises = [sample], []
    for t in scheduler.timesteps:
        noises.append(torch.randn(sample.shape, generator=generator))
        sample = scheduler.step(model(sample, int(t)), t, sample, eta=eta, variance_noise=noises[-1] if eta > 0 else None).prev_sample
        samples.append(sample)
    out = dict(timesteps=scheduler.timesteps, samples=torch.stack(samples))
    if eta > 0:
        out["noises"] = torch.stack(noises)
    out["noised"] = scheduler.add_noise(samples[0], samples[-1], torch.tensor([300, 300]))
    return out


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    tensors, metadata = {}, {}
    for name, config, steps, eta in CASES:
        tensors |= {f"{name}.{k}": v.contiguous() for k, v in run(config, steps, eta, generator).items()}
        metadata[name] = json.dumps(dict(config={"_class_name": "DDIMScheduler", **config}, steps=steps, eta=eta))
    # The timesteps of trailing spacing hang on how numpy rounds: their sum for every number of steps.
    scheduler = DDIMScheduler(timestep_spacing="trailing")
    sums = []
    for steps in range(1, 1001):
        scheduler.set_timesteps(steps)
        sums.append([len(scheduler.timesteps), int(scheduler.timesteps.sum())])
    tensors["trailing_sums"] = torch.tensor(sums)
    save_file(tensors, OUT / "ddim.safetensors", metadata)


if __name__ == "__main__":
    main()
