# SPDX-License-Identifier: Apache-2.0
"""ResNets of torchvision and timm for tests/models/resnet_test.cpp: python scripts/baselines/resnet.py

Weights come from hash_weights.py. Stored, in fp64: the input, the grid, the pooled features, and every 997th element of each parameter's
gradient, in train mode (batch statistics) and the features in eval mode."""
from pathlib import Path

import timm
import torch
import torchvision
from hash_weights import fill_with_hash, hash_array
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "tests/models/data"


def nano():
    """timm's ResNet-10 of width 16 with a 3x3 stem of stride 2 and no max-pool. timm counts the pool: its 16 is our output stride 8."""
    model = timm.models.resnet.ResNet(timm.models.resnet.BasicBlock, (1, 1, 1, 1), num_classes=0, output_stride=16, channels=(16, 32, 64, 128))
    model.conv1 = torch.nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
    model.bn1 = torch.nn.BatchNorm2d(16)
    model.maxpool = torch.nn.Identity()
    block = model.layer1[0]
    block.conv1 = torch.nn.Conv2d(16, 16, 3, padding=1, bias=False)
    block.downsample = None
    return model


def resnet18():
    model = torchvision.models.resnet18()
    model.fc = torch.nn.Identity()
    return model


def grid_of(model, images):
    if hasattr(model, "forward_features"):
        return model.forward_features(images)
    stem = model.maxpool(model.relu(model.bn1(model.conv1(images))))
    return model.layer4(model.layer3(model.layer2(model.layer1(stem))))


def write(name, model, size):
    model = fill_with_hash(model, 0.1).double()
    images = torch.from_numpy(hash_array("images", (2, 3, *size))).double()
    values = {"images": images, "eval_features": model.eval()(images)}
    model.train()
    values["grid"] = grid_of(model, images)
    values["features"] = values["grid"].mean((2, 3))
    weights = torch.from_numpy(hash_array("loss", values["features"].shape)).double()
    (values["features"] * weights).sum().backward()
    for parameter, tensor in model.named_parameters():
        values["grad." + parameter] = tensor.grad.flatten()[::997]
    save_file({key: value.detach().contiguous() for key, value in values.items()}, OUT / f"{name}.safetensors")


if __name__ == "__main__":
    write("resnet18", resnet18(), (64, 48))
    write("resnet10_nano", nano(), (64, 64))
