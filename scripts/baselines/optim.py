# SPDX-License-Identifier: Apache-2.0
"""Five steps of torch.optim.AdamW with a cosine schedule for tests/training/optimizer_test.cpp: python scripts/baselines/optim.py

Parameters and each step's gradients come from hash_weights.py; stored are the parameters after each step, in fp64 and fp32, and in fp64
with the gradients clipped to length 2."""
import math
from pathlib import Path

import torch
from hash_weights import hash_array
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "tests/training/data/adamw.safetensors"
SHAPES = {"weight": (7, 5), "bias": (7,)}
PEAK, LAST, WARMUP, TOTAL = 0.01, 0.001, 2, 6


def learning_rate(step):
    if step < WARMUP:
        return PEAK * step / WARMUP
    return LAST + (PEAK - LAST) / 2 * (1 + math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))


values = {"learning_rates": torch.tensor([learning_rate(step) for step in range(TOTAL + 1)], dtype=torch.float64)}
for dtype, label, clip_norm in ((torch.float64, "fp64", None), (torch.float32, "fp32", None), (torch.float64, "clipped", 2.0)):
    parameters = {name: torch.nn.Parameter(torch.from_numpy(hash_array(name, shape)).to(dtype)) for name, shape in SHAPES.items()}
    groups = [dict(params=[parameters["weight"]], weight_decay=0.1), dict(params=[parameters["bias"]], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-6)
    for step in range(1, 6):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        for name, parameter in parameters.items():
            parameter.grad = torch.from_numpy(hash_array(f"grad.{name}.{step}", SHAPES[name])).to(dtype)
        if clip_norm:
            assert torch.nn.utils.clip_grad_norm_(parameters.values(), clip_norm) > clip_norm
        optimizer.step()
        values.update({f"{label}.{name}.{step}": parameter.detach().clone() for name, parameter in parameters.items()})
OUT.parent.mkdir(parents=True, exist_ok=True)
save_file(values, OUT)
