# SPDX-License-Identifier: Apache-2.0
"""Tables of cases for the tests of models, written once as JSON (what to build) and safetensors (what must come out); tests/models/cases.h
reads them. Imported by the other baseline scripts."""
import json
from pathlib import Path

import torch
from hash_weights import hash_array
from safetensors.torch import save_file

DATA = Path(__file__).resolve().parents[2] / "tests/models/data"


def tensor(name, *shape):
    return torch.from_numpy(hash_array(name, shape))


def sampled(output):
    """About 256 of the values, at an odd stride."""
    flat = output.detach().double().flatten()
    return flat[::max(1, flat.numel() // 256) | 1].clone()


def gradient_numbers(model, **inputs):
    """[parameters in the order of their names, 2]: each gradient's product with a hash of the name, and its norm."""
    named = sorted([*model.named_parameters(), *inputs.items()])
    rows = [((p.grad * tensor(name, *p.shape)).sum(), p.grad.norm()) for name, p in named]
    return torch.tensor(rows, dtype=torch.float64)


def off_by(output, exact):
    """Root mean square of the difference, as a fraction of the exact output's."""
    return (output.detach().double() - exact.detach()).norm() / exact.detach().norm()


def write_cases(name, cases, values_of):
    """values_of: case -> {name: tensor}"""
    values = {f"{case}/{key}": value.contiguous() for case, data in cases.items() for key, value in values_of(data).items()}
    lines = [f"{json.dumps(case)}: {json.dumps(data)}" for case, data in cases.items()]
    (DATA / f"{name}_cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    save_file(values, DATA / f"{name}_cases.safetensors")
    for key, value in values.items():
        if key.endswith("_error"):
            print(f"{name} {key} {value.item():.2e}")
