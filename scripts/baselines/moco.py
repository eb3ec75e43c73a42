# SPDX-License-Identifier: Apache-2.0
"""MoCo v3's loss, gradients and momentum update for tests/objectives/moco_v3_test.cpp: python scripts/baselines/moco.py

A PyTorch MoCo v3 written after the paper's algorithm 1, with weights from hash_weights.py. The backbone is timm's nano ResNet, as in
resnet.py. Stored: the two views (bytes), loss, spread of the embeddings, every 97th element of each gradient, and every 97th element of
the momentum encoder's parameters after one update at progress 1/4; all in fp64."""
import math
from pathlib import Path

import torch
from hash_weights import fill_with_hash, hash_array
from resnet import nano
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

OUT = Path(__file__).resolve().parents[2] / "tests/objectives/data/moco_v3.safetensors"
HIDDEN, DIMENSIONS, TEMPERATURE, MOMENTUM, BATCH, SIZE = 24, 16, 0.3, 0.99, 6, 32


def mlp(inputs, last_norm):
    layers = [nn.Linear(inputs, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIMENSIONS, bias=False)]
    return nn.Sequential(*layers, *([nn.BatchNorm1d(DIMENSIONS, affine=False)] if last_norm else []))


def contrast(query, key):
    logits = query @ key.t() / TEMPERATURE
    return F.cross_entropy(logits, torch.arange(len(query))) * 2 * TEMPERATURE


model = nn.ModuleDict(dict(backbone=nano(), projector=mlp(128, True), predictor=mlp(DIMENSIONS, False),
                           momentum_backbone=nano(), momentum_projector=mlp(128, True)))
fill_with_hash(model, 0.3).double().train()

views = [torch.from_numpy((hash_array(f"view{i}", (BATCH, SIZE, SIZE, 3)) * 127.5 + 127.5).astype("uint8")) for i in (1, 2)]
mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=torch.float64)
images = [((view.double() / 255 - mean) / deviation).permute(0, 3, 1, 2) for view in views]
queries = [F.normalize(model["predictor"](model["projector"](model["backbone"](x))), dim=1) for x in images]
with torch.no_grad():
    keys = [F.normalize(model["momentum_projector"](model["momentum_backbone"](x)), dim=1) for x in images]
loss = contrast(queries[0], keys[1]) + contrast(queries[1], keys[0])
loss.backward()

values = {"view1": views[0], "view2": views[1], "loss": loss, "embedding_std": queries[0].std(0).mean() * math.sqrt(DIMENSIONS)}
for name, parameter in model.named_parameters():
    if not name.startswith("momentum_"):
        values["grad." + name] = parameter.grad.flatten()[::97]
momentum = 1 - (1 - MOMENTUM) * (1 + math.cos(math.pi * 0.25)) / 2
for part in ("backbone", "projector"):
    for name, parameter in model[f"momentum_{part}"].named_parameters():
        trained = dict(model[part].named_parameters())[name]
        values[f"updated.momentum_{part}.{name}"] = (parameter * momentum + trained * (1 - momentum)).flatten()[::97]
OUT.parent.mkdir(parents=True, exist_ok=True)
save_file({name: value.detach().contiguous() for name, value in values.items()}, OUT)
