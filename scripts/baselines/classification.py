# SPDX-License-Identifier: Apache-2.0
"""Classification losses, gradients and average precision for tests/objectives/classification_test.cpp and
tests/evaluation/classification_test.cpp: python scripts/baselines/classification.py

A PyTorch classifier with weights from hash_weights.py; the backbone is timm's nano ResNet, as in resnet.py. Stored: pictures (bytes),
labels, for each of the two losses its value and every 97th element of each gradient, in fp64; logits in evaluation mode; scikit-learn's
average precision of each class on scores with ties."""
from pathlib import Path

import numpy as np
import torch
from hash_weights import fill_with_hash, hash_array
from resnet import nano
from safetensors.torch import save_file
from sklearn.metrics import average_precision_score
from torch import nn
from torch.nn import functional as F

TESTS = Path(__file__).resolve().parents[2] / "tests"
BATCH, SIZE, CLASSES = 6, 32, 7
PICTURES, SCORED_CLASSES = 200, 6


def normalized(pixels):
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=torch.float64)
    return ((pixels.double() / 255 - mean) / deviation).permute(0, 3, 1, 2)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = nano(), nn.Linear(128, CLASSES)

    def forward(self, pixels):
        return self.head(self.backbone(normalized(pixels)))


pixels = torch.from_numpy((hash_array("picture", (BATCH, SIZE, SIZE, 3)) * 127.5 + 127.5).astype("uint8"))
targets = {"cross_entropy": torch.arange(BATCH) * 3 % CLASSES,
           "binary_cross_entropy": torch.from_numpy(hash_array("there", (BATCH, CLASSES)) > 0.3).float()}


def write_losses():
    values = {"image": pixels}
    for loss_name, target in targets.items():
        model = fill_with_hash(Classifier(), 0.3).double().train()
        loss = F.cross_entropy(model(pixels), target) if loss_name == "cross_entropy" else nn.BCEWithLogitsLoss()(model(pixels), target.double())
        loss.backward()
        values |= {f"{loss_name}.target": target, f"{loss_name}.loss": loss.detach()}
        for name, parameter in model.named_parameters():
            values[f"{loss_name}.grad.{name}"] = parameter.grad.flatten()[::97].contiguous()
    with torch.no_grad():
        values["logits"] = fill_with_hash(Classifier(), 0.3).double().eval()(pixels)
    save_file(values, TESTS / "objectives/data/classification.safetensors")


def write_average_precision():
    scores = np.round(hash_array("scores", (PICTURES, SCORED_CLASSES)).astype(float) * 8) / 8  # steps of 1/8 make ties
    there = hash_array("labels", (PICTURES, SCORED_CLASSES)) + 0.4 * scores > np.linspace(-0.9, 0.9, SCORED_CLASSES)
    average_precision = [average_precision_score(there[:, k], scores[:, k]) for k in range(SCORED_CLASSES)]
    save_file({"scores": torch.from_numpy(scores), "targets": torch.from_numpy(there),
               "average_precision": torch.tensor(average_precision, dtype=torch.float64)},
              TESTS / "evaluation/data/average_precision.safetensors")


if __name__ == "__main__":
    write_losses()
    write_average_precision()
