# SPDX-License-Identifier: Apache-2.0
"""The losses of vision-language training for tests/objectives/vision_language_test.cpp: python scripts/baselines/vision_language.py

PyTorch after the papers' formulas, row by row, on features from hash_weights.py. What is drawn (hard negatives, hidden words) is fixed here:
the test gives the losses the same. Stored, in fp64: each case's loss, and the gradient of each of its inputs."""
from pathlib import Path

import torch
from hash_weights import hash_array
from safetensors.torch import save_file
from torch.nn import functional as F

OUT = Path(__file__).resolve().parents[2] / "tests/objectives/data/vision_language.safetensors"
PAIRS, QUEUE, DIMENSIONS, ALPHA = 6, 9, 8, 0.4
IMAGE_GROUPS, TEXT_GROUPS = [0, 1, 1, 2, 3, 0], [0, 1, 4, 2, 2, 0]  # what fits: equal numbers, and each picture's own caption
PHRASES, TEXTS, PHRASE_TEMPERATURE = 7, [3, 1, 3, 2, 5, 1, 3], 0.07


def features(name, rows):
    """Before they have length 1."""
    return torch.from_numpy(hash_array(name, (rows, DIMENSIONS))).double().requires_grad_()


def matches():
    return torch.tensor([[a == b or i == j for j, b in enumerate(TEXT_GROUPS)] for i, a in enumerate(IMAGE_GROUPS)])


def itc(queries, keys, fits, scale, soft=None):
    total = 0
    for i in range(len(queries)):
        target = fits[i].double() / fits[i].sum()
        if soft is not None:
            with torch.no_grad():
                target = (1 - ALPHA) * target + ALPHA * F.softmax(scale * (keys @ soft[i]), 0)
        total = total - (target * F.log_softmax(scale * (keys @ queries[i]), 0)).sum()
    return total / len(queries)


def stored(name, loss, **inputs):
    gradients = torch.autograd.grad(loss, list(inputs.values()))
    return {f"{name}.loss": loss.detach()} | {f"{name}.{key}": g.contiguous() for key, g in zip(inputs, gradients)}


def clip_case():
    images, texts = features("images", PAIRS), features("texts", PAIRS)
    logit_scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    x, t, scale = F.normalize(images, dim=1), F.normalize(texts, dim=1), logit_scale.exp()
    loss = (itc(x, t, matches(), scale) + itc(t, x, matches().T, scale)) / 2
    return stored("clip", loss, images=images, texts=texts, logit_scale=logit_scale)


def albef_case():
    images, texts, scale = features("images", PAIRS), features("texts", PAIRS), torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
    x, t = F.normalize(images, dim=1), F.normalize(texts, dim=1)
    momentum_x, momentum_t = (F.normalize(features(f"momentum_{n}", PAIRS).detach(), dim=1) for n in ("images", "texts"))
    queue_x, queue_t = (F.normalize(features(f"queue_{n}", QUEUE).detach(), dim=1) for n in ("images", "texts"))
    none = torch.zeros(PAIRS, QUEUE, dtype=torch.bool)
    none[2, 4] = True  # one caption of the queue fits a picture, and the other way round
    fits, fits_back = torch.cat([matches(), none], 1), torch.cat([matches().T, none], 1)
    loss = (itc(x, torch.cat([momentum_t, queue_t]), fits, scale, momentum_x) + itc(t, torch.cat([momentum_x, queue_x]), fits_back, scale, momentum_t)) / 2
    return stored("albef", loss, images=images, texts=texts, scale=scale)


def labelled_case(name, labels, width):
    logits = torch.from_numpy(hash_array(name, (len(labels), width), 3)).double().requires_grad_()
    rows = [i for i, label in enumerate(labels) if label >= 0]
    loss = sum(torch.logsumexp(logits[i], 0) - logits[i, labels[i]] for i in rows) / len(rows)
    return stored(name, loss, logits=logits)


def phrase_case():
    regions, phrases = features("regions", PHRASES), features("phrases", PHRASES)
    r, p = F.normalize(regions, dim=1), F.normalize(phrases, dim=1)
    total = 0
    for i in range(PHRASES):
        kept = [j for j in range(PHRASES) if j == i or TEXTS[j] != TEXTS[i]]
        total = total + torch.logsumexp(p[kept] @ r[i] / PHRASE_TEMPERATURE, 0) - p[i] @ r[i] / PHRASE_TEMPERATURE
        total = total + torch.logsumexp(r[kept] @ p[i] / PHRASE_TEMPERATURE, 0) - p[i] @ r[i] / PHRASE_TEMPERATURE
    return stored("phrases", total / (2 * PHRASES), regions=regions, phrases=phrases)


if __name__ == "__main__":
    # itm: three pairs that fit, then what was drawn for three pictures and three captions; one of each has no negative
    values = clip_case() | albef_case() | phrase_case() | labelled_case("itm", [1, 1, 1, 0, -100, 0, 0, 0, -100], 2)
    values |= labelled_case("mlm", [-100, 5, -100, 0, 16, -100], 17)
    save_file(values, OUT)
    for key, value in values.items():
        if key.endswith(".loss"):
            print(key, value.item())
