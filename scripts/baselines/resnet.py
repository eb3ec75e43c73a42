# SPDX-License-Identifier: Apache-2.0
"""ResNets of torchvision and timm for tests/models/resnet_test.cpp: python scripts/baselines/resnet.py

Weights come from hash_weights.py. Stored, in fp64: samples of the grid and the pooled features in train mode (batch statistics), of the
features in eval mode, and each parameter's gradient as a product with a hash of its name. torchvision where it has the model."""
import timm
import torch
import torchvision
from cases import gradient_numbers, sampled, tensor, write_cases
from hash_weights import fill_with_hash
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

NANO = {"depths": [1, 1, 1, 1], "block": "basic", "width": 16, "stem": "3x3", "output_stride": 8}


def options(depths, block="basic", stem="7x7", output_stride=32):
    return {"depths": depths, "block": block, "width": 64, "stem": stem, "output_stride": output_stride}


CASES = {
    "resnet18": {"options": options([2, 2, 2, 2]), "shape": [2, 3, 64, 48]},
    "resnet34": {"options": options([3, 4, 6, 3]), "shape": [2, 3, 64, 48]},
    "resnet50": {"options": options([3, 4, 6, 3], "bottleneck"), "shape": [2, 3, 64, 48]},
    "resnet50_dilated": {"options": options([3, 4, 6, 3], "bottleneck", output_stride=8), "shape": [2, 3, 64, 48]},
    "resnet18_cifar": {"options": options([2, 2, 2, 2], stem="cifar"), "shape": [2, 3, 32, 32]},
    "resnet10_nano": {"options": NANO, "shape": [2, 3, 64, 64]},
    "resnet10_nano_paths": {"options": NANO, "shape": [2, 3, 64, 64], "branches": 4},
}


def nano():
    """timm's ResNet-10 of width 16 with a 3x3 stem of stride 2 and no max-pool. timm counts the pool: its 16 is our output stride 8."""
    model = timm.models.resnet.ResNet(timm.models.resnet.BasicBlock, (1, 1, 1, 1), num_classes=0, output_stride=16, channels=(16, 32, 64, 128))
    model.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
    model.bn1 = nn.BatchNorm2d(16)
    model.maxpool = nn.Identity()
    block = model.layer1[0]
    block.conv1 = nn.Conv2d(16, 16, 3, padding=1, bias=False)
    block.downsample = None
    return model


class Scale(nn.Module):
    """A drop path whose draw is given."""

    def __init__(self, scales):
        super().__init__()
        self.scales = scales.double()

    def forward(self, x):
        return x * self.scales.view(-1, *[1] * (x.dim() - 1))


def build(data):
    if data["options"] == NANO:
        model = nano()
        for i in range(data.get("branches", 0)):
            getattr(model, f"layer{i + 1}")[0].drop_path = Scale(tensor("scales", data["shape"][0], data["branches"])[:, i])
        return model
    block = BasicBlock if data["options"]["block"] == "basic" else Bottleneck
    dilated = data["options"]["output_stride"] == 8
    model = torchvision.models.resnet.ResNet(block, data["options"]["depths"], replace_stride_with_dilation=[False, dilated, dilated])
    if data["options"]["stem"] == "cifar":
        model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    model.fc = nn.Identity()
    return model


def grid_of(model, images):
    if hasattr(model, "forward_features"):
        return model.forward_features(images)
    stem = model.maxpool(model.relu(model.bn1(model.conv1(images))))
    return model.layer4(model.layer3(model.layer2(model.layer1(stem))))


def values_of(data):
    model = fill_with_hash(build(data), 0.1).double()
    images = tensor("images", *data["shape"]).double()
    values = {"eval_features": sampled(model.eval()(images))}
    model.train()
    grid = grid_of(model, images)
    features = grid.mean((2, 3))
    (features * tensor("loss", *features.shape)).sum().backward()
    return values | {"grid": sampled(grid), "features": sampled(features), "gradients": gradient_numbers(model)}


if __name__ == "__main__":
    write_cases("resnet", CASES, values_of)
