# SPDX-License-Identifier: Apache-2.0
"""Learning rates of torch.optim.lr_scheduler for tests/training/schedule_test.cpp: python scripts/baselines/lr_schedules.py

Each schedule of 40 steps alone and behind a warm-up of 5. PyTorch's warm-up cannot begin with 0: its first rate is that of our second step,
so behind a warm-up PyTorch's step i is our step i + 1."""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.optim import lr_scheduler as schedulers

OUT = Path(__file__).resolve().parents[2] / "tests/training/data/lr_schedules.safetensors"
PEAK, LAST, TOTAL, WARMUP = 0.3, 0.02, 40, 5
GAMMA, MILESTONES, POWER = 0.2, [12, 25, 31], 0.9

KINDS = {  # steps of the schedule, steps of the run before it -> scheduler
    "cosine": lambda o, steps, before: schedulers.CosineAnnealingLR(o, steps, eta_min=LAST),
    "poly": lambda o, steps, before: schedulers.PolynomialLR(o, steps, power=POWER),
    "step": lambda o, steps, before: schedulers.MultiStepLR(o, [m - before for m in MILESTONES], gamma=GAMMA),
    "constant": lambda o, steps, before: schedulers.ConstantLR(o, factor=1.0),
}


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = make(optimizer)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.tensor(out, dtype=torch.float64)


def behind_warmup(kind):
    def make(optimizer):
        warmup = schedulers.LinearLR(optimizer, start_factor=1 / WARMUP, total_iters=WARMUP - 1)
        return schedulers.SequentialLR(optimizer, [warmup, KINDS[kind](optimizer, TOTAL - WARMUP, WARMUP)], milestones=[WARMUP - 1])

    return make


values = {kind: rates(lambda o, kind=kind: KINDS[kind](o, TOTAL, 0), TOTAL) for kind in KINDS}
values.update({f"{kind}.warmup": rates(behind_warmup(kind), TOTAL - 1) for kind in KINDS})
OUT.parent.mkdir(parents=True, exist_ok=True)
save_file(values, OUT)
