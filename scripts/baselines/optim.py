# SPDX-License-Identifier: Apache-2.0
"""Five steps of torch.optim.AdamW, torch.optim.SGD and MoCo v3's LARS for tests/training/optimizer_test.cpp: python scripts/baselines/optim.py

Parameters and each step's gradients come from hash_weights.py; stored are the parameters after each step, in fp64 and fp32, and for AdamW
in fp64 with the gradients clipped to length 2, too. `zero` begins with nothing but zeros: LARS has no ratio for it at first."""
import math
from pathlib import Path

import torch
from hash_weights import hash_array
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "tests/training/data/optim.safetensors"
SHAPES = {"weight": (7, 5), "zero": (3, 4), "bias": (7,)}
PEAK, LAST, WARMUP, TOTAL = 0.01, 0.001, 2, 6
DECAY = 0.1


class Lars(torch.optim.Optimizer):
    """u = g + decay w; u *= coefficient |w| / |u| where both norms are positive; v = momentum v + u; w -= lr v. What has one dimension
    (biases, norms) keeps u = g."""

    def __init__(self, groups, momentum=0.9, coefficient=0.001):
        super().__init__(groups, dict(lr=0.0, momentum=momentum, coefficient=coefficient))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                u = w.grad.clone()
                if w.ndim > 1:
                    u += group["weight_decay"] * w
                    length, step = torch.linalg.norm(w), torch.linalg.norm(u)
                    if length > 0 and step > 0:
                        u *= group["coefficient"] * length / step
                v = self.state[w].setdefault("v", torch.zeros_like(w))
                v.copy_(group["momentum"] * v + u)
                w -= group["lr"] * v


def learning_rate(step):
    if step < WARMUP:
        return PEAK * step / WARMUP
    return LAST + (PEAK - LAST) / 2 * (1 + math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))


OPTIMIZERS = {  # and by what the learning rate is multiplied
    "adamw": (lambda groups: torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-6), 1),
    "sgd": (lambda groups: torch.optim.SGD(groups, lr=0, momentum=0.9), 10),
    "nesterov": (lambda groups: torch.optim.SGD(groups, lr=0, momentum=0.8, nesterov=True), 10),
    "plain": (lambda groups: torch.optim.SGD(groups, lr=0), 10),
    "lars": (lambda groups: Lars(groups, 0.9, 0.02), 100),
}

values = {"learning_rates": torch.tensor([learning_rate(step) for step in range(TOTAL + 1)], dtype=torch.float64)}
CASES = [(name, dtype, f"{name}.{label}", None) for name in OPTIMIZERS for dtype, label in ((torch.float64, "fp64"), (torch.float32, "fp32"))]
for name, dtype, label, clip_norm in [*CASES, ("adamw", torch.float64, "adamw.clipped", 2.0)]:
    parameters = {p: torch.nn.Parameter(torch.from_numpy(hash_array(p, shape) * (p != "zero")).to(dtype)) for p, shape in SHAPES.items()}
    groups = [dict(params=[parameters["weight"], parameters["zero"]], weight_decay=DECAY), dict(params=[parameters["bias"]], weight_decay=0.0)]
    make, scale = OPTIMIZERS[name]
    optimizer = make(groups)
    for step in range(1, 6):
        for group in optimizer.param_groups:
            group["lr"] = scale * learning_rate(step)
        for p, parameter in parameters.items():
            parameter.grad = torch.from_numpy(hash_array(f"grad.{p}.{step}", SHAPES[p])).to(dtype)
        if clip_norm:
            assert torch.nn.utils.clip_grad_norm_(parameters.values(), clip_norm) > clip_norm
        optimizer.step()
        values.update({f"{label}.{p}.{step}": parameter.detach().clone() for p, parameter in parameters.items()})
OUT.parent.mkdir(parents=True, exist_ok=True)
save_file(values, OUT)
