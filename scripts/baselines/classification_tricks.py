# SPDX-License-Identifier: Apache-2.0
"""timm's Mixup and RandomErasing, and smoothed labels, for tests/objectives/classification_tricks_test.cpp:
python scripts/baselines/classification_tricks.py

Stored: mixed pictures and targets for given draws; losses and gradients of the classifier of classification.py on mixed batches, in fp64;
quantiles of Beta(alpha, alpha); mean area and mean share of erased pictures."""
import random
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from classification import CLASSES, Classifier, normalized, pixels, targets
from hash_weights import fill_with_hash, hash_array
from safetensors.torch import save_file
from scipy.stats import beta
from timm.data.mixup import Mixup
from timm.data.random_erasing import RandomErasing
from timm.loss import SoftTargetCrossEntropy
from torch import nn

OUT = Path(__file__).resolve().parents[2] / "tests/objectives/data/classification_tricks.safetensors"
ALPHAS, POINTS = (0.2, 0.8, 1.0, 4.0), (0.02, 0.1, 0.25, 0.4)
MIXES = {"blended": (0.3, None), "cut": (0.4, (11, 17)), "cut_by_border": (0.4, (1, 30))}  # share; the box's centre, y and x


def mix(images, target, share, centre, smoothing, multi_label):
    """timm's Mixup with given draws."""
    mixup = Mixup(mixup_alpha=1.0, cutmix_alpha=1.0, label_smoothing=smoothing, num_classes=CLASSES, multi_label=multi_label)
    with mock.patch.object(mixup, "_params_per_batch", lambda: (share, centre is not None)), \
         mock.patch("numpy.random.randint", mock.Mock(side_effect=centre)):
        return mixup(images.clone(), target)


def write_mixes(values):
    images = torch.from_numpy(hash_array("mixed", (4, 3, 32, 32)))
    for name, (share, centre) in MIXES.items():
        values[f"{name}.images"] = mix(images, torch.arange(4), share, centre, 0.0, False)[0].contiguous()
        for loss_name, target in targets.items():
            multi_label = loss_name == "binary_cross_entropy"
            model = fill_with_hash(Classifier(), 0.3).double().train()
            mixed, soft = mix(normalized(pixels), target, share, centre, 0.1, multi_label)
            logits = model.head(model.backbone(mixed))
            loss = nn.BCEWithLogitsLoss()(logits, soft.double()) if multi_label else SoftTargetCrossEntropy()(logits, soft.double())
            loss.backward()
            key = f"{name}.{loss_name}"
            values |= {f"{key}.targets": soft.contiguous(), f"{key}.loss": loss.detach(),
                       f"{key}.gradient": model.backbone.conv1.weight.grad.flatten().clone()}


def write_erasing(values):
    random.seed(1)
    erase, erased = RandomErasing(probability=0.25, mode="pixel", device="cpu"), []
    for _ in range(20000):
        erased.append((erase(torch.zeros(1, 32, 48)) != 0).float().mean().item())
    erased = np.array(erased)
    values["erased"] = torch.tensor([(erased > 0).mean(), erased[erased > 0].mean(), erased[erased > 0].std()])
    print("erased: share of pictures, mean area, its deviation", values["erased"])


if __name__ == "__main__":
    values = {"beta": torch.tensor([[beta(a, a).ppf(p) for p in POINTS] for a in ALPHAS], dtype=torch.float64)}
    write_mixes(values)
    write_erasing(values)
    save_file(values, OUT)
