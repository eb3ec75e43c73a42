# SPDX-License-Identifier: Apache-2.0
"""MoCo v3, SimCLR and BYOL for tests/objectives/contrastive_test.cpp: python scripts/baselines/contrastive.py

PyTorch scripts after the papers' formulas, with and without pooled regions, with weights from hash_weights.py. The backbone is timm's nano
ResNet, as in resnet.py. Stored, in fp64: the views (bytes) and regions; for each case its losses, the spread of the embeddings, samples of
each gradient, and of every weight after five steps of AdamW, the momentum side following after each."""
import math
from pathlib import Path

import torch
from hash_weights import fill_with_hash, hash_array
from resnet import nano
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

OUT = Path(__file__).resolve().parents[2] / "tests/objectives/data/contrastive.safetensors"
HIDDEN, DIMENSIONS, TEMPERATURE, MOMENTUM, BATCH, SIZE, GRID = 24, 16, 0.3, 0.99, 6, 32, 4
REGION_WEIGHT, REGION_TEMPERATURE, EVERY = 0.4, 0.15, 499
METHODS = ("moco_v3", "simclr", "byol")


def mlp(inputs, last_norm, layers=2):
    modules = []
    for i in range(layers - 1):
        modules += [nn.Linear(inputs if i == 0 else HIDDEN, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU()]
    modules.append(nn.Linear(HIDDEN, DIMENSIONS, bias=False))
    return nn.Sequential(*modules, *([nn.BatchNorm1d(DIMENSIONS, affine=False)] if last_norm else []))


def make_model(method, regions):
    parts = {"backbone": nano(), "projector": mlp(128, True, 3 if method == "simclr" else 2)}
    if method != "simclr":
        parts |= {"predictor": mlp(DIMENSIONS, False), "momentum_backbone": nano(), "momentum_projector": mlp(128, True)}
    if regions:
        parts["region_projector"] = mlp(128, True, 3 if method == "simclr" else 2)
        if method != "simclr":
            parts["momentum_region_projector"] = mlp(128, True)
    return fill_with_hash(nn.ModuleDict(parts), 0.3).double().train()


def image_loss(method, model, features, targets):
    z = [F.normalize(model["projector"](f), dim=1) for f in features]
    if method == "simclr":
        both = torch.cat(z)
        total = 0
        for i in range(2 * BATCH):  # eq. 1, one embedding at a time
            similar = both @ both[i] / TEMPERATURE
            others = [k for k in range(2 * BATCH) if k != i]
            total = total - similar[(i + BATCH) % (2 * BATCH)] + torch.logsumexp(similar[others], 0)
        return total / (2 * BATCH), z[0]
    q = [F.normalize(model["predictor"](model["projector"](f)), dim=1) for f in features]
    with torch.no_grad():
        k = [F.normalize(model["momentum_projector"](t), dim=1) for t in targets]
    if method == "byol":
        return sum(((q[i] - k[1 - i]) ** 2).sum(1).mean() for i in (0, 1)), q[0]
    labels = torch.arange(BATCH)
    return sum(F.cross_entropy(q[i] @ k[1 - i].t() / TEMPERATURE, labels) * 2 * TEMPERATURE for i in (0, 1)), q[0]


def embed_regions(head, grids, regions):
    pooled = []
    for weights, picture in zip(regions["weights"], regions["pictures"]):
        pooled.append((grids[picture] * weights).sum((1, 2)) / weights.sum())
    return F.normalize(head(torch.stack(pooled)), dim=1)


def region_loss(query, query_names, key, key_names):
    terms = []
    for i, (picture, number, text) in enumerate(query_names):
        positive, compared = None, []
        for j, (other_picture, other_number, other_text) in enumerate(key_names):
            if picture == other_picture and number == other_number:
                positive = j
            if picture == other_picture or text == 0 or text != other_text:
                compared.append(j)
        if positive is not None:
            similar = key @ query[i] / REGION_TEMPERATURE
            terms.append(torch.logsumexp(similar[compared], 0) - similar[positive])
    return torch.stack(terms).mean()


def losses(method, model, images, regions):
    encoded = [model["backbone"].forward_features(x) for x in images]
    with torch.no_grad():
        targets = [model["momentum_backbone"].forward_features(x) for x in images] if method != "simclr" else [None, None]
    pooled = [grid.mean((2, 3)) for grid in encoded]
    loss, embedding = image_loss(method, model, pooled, [t if t is None else t.mean((2, 3)) for t in targets])
    if not regions:
        return {"contrastive": loss}, embedding
    query = [embed_regions(model["region_projector"], encoded[i], regions[i]) for i in (0, 1)]
    key = query
    if method != "simclr":
        with torch.no_grad():
            key = [embed_regions(model["momentum_region_projector"], targets[i], regions[i]) for i in (0, 1)]
    names = [list(zip(r["pictures"], r["numbers"], r["texts"])) for r in regions]
    of_regions = (region_loss(query[0], names[0], key[1], names[1]) + region_loss(query[1], names[1], key[0], names[0])) / 2
    return {"contrastive": (1 - REGION_WEIGHT) * loss, "regions": REGION_WEIGHT * of_regions}, embedding


def follow(model, progress):
    momentum = 1 - (1 - MOMENTUM) * (1 + math.cos(math.pi * progress)) / 2
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, parameter in parameters.items():
            if name.startswith("momentum_"):
                parameter.mul_(momentum).add_(parameters[name.removeprefix("momentum_")], alpha=1 - momentum)


def run_case(method, images, regions, values):
    case = f"{method}_regions" if regions else method
    model = make_model(method, regions)
    trained = {name: p for name, p in model.named_parameters() if not name.startswith("momentum_")}
    decayed = [p for p in trained.values() if p.dim() > 1]
    rest = [p for p in trained.values() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0}], lr=0.01)
    for step in range(5):
        terms, embedding = losses(method, model, images, regions)
        optimizer.zero_grad()
        sum(terms.values()).backward()
        if step == 0:
            for name, term in terms.items():
                values[f"{case}.loss.{name}"] = term
            covariance = torch.cov(embedding.detach().t())
            eigenvalues = torch.linalg.eigvalsh(covariance)
            values[f"{case}.embedding_std"] = embedding.std(0).mean() * math.sqrt(DIMENSIONS)
            values[f"{case}.effective_rank"] = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
            for name, parameter in trained.items():
                values[f"{case}.grad.{name}"] = parameter.grad.flatten()[::EVERY].clone()
        optimizer.step()
        follow(model, (step + 1) / 5)
    for name, parameter in model.named_parameters():
        values[f"{case}.after.{name}"] = parameter.flatten()[::EVERY]


def make_regions(view, rows):
    pictures = [i for i, count in enumerate(rows) for _ in range(count)]
    numbers = [k if k + 1 < count else -1 for count in rows for k in range(count)]
    texts = [0 if number == -1 and picture % 2 else 5 + (picture + number) % 3 for picture, number in zip(pictures, numbers)]
    weights = torch.from_numpy(hash_array(f"regions{view}", (len(pictures), GRID, GRID))).double().abs()
    return {"weights": weights, "pictures": pictures, "numbers": numbers, "texts": texts, "rows": rows}


def main():
    views = [torch.from_numpy((hash_array(f"view{i}", (BATCH, SIZE, SIZE, 3)) * 127.5 + 127.5).astype("uint8")) for i in (1, 2)]
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=torch.float64)
    images = [((view.double() / 255 - mean) / deviation).permute(0, 3, 1, 2) for view in views]
    regions = [make_regions(1, [2, 3, 1, 2, 2, 4]), make_regions(2, [3, 1, 2, 2, 3, 2])]
    values = {"view1": views[0], "view2": views[1]}
    for i in (0, 1):
        values[f"regions{i + 1}"] = regions[i]["weights"].float()
        regions[i]["weights"] = values[f"regions{i + 1}"].double()
        values[f"regions{i + 1}.rows"] = torch.tensor(regions[i]["rows"])
        values[f"region_numbers{i + 1}"] = torch.tensor(regions[i]["numbers"])
        values[f"region_texts{i + 1}"] = torch.tensor(regions[i]["texts"])
    for method in METHODS:
        run_case(method, images, None, values)
        run_case(method, images, regions, values)
    save_file({name: value.detach().contiguous().clone() for name, value in values.items()}, OUT)


if __name__ == "__main__":
    main()
