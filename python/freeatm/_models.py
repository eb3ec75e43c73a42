# SPDX-License-Identifier: Apache-2.0
"""freeatm's backbones as models of timm and torchvision, without a classifier; random weights."""
from __future__ import annotations

from typing import Any

from torch import nn

from ._run import Run

_STEMS = {"7x7": 4, "3x3": 2, "cifar": 1}  # pixels a cell behind it


def _resnet_options(run: Run) -> tuple[list[int], bool, int, int]:
    """Blocks of the stages, whether they are bottlenecks, width, and output stride."""
    depths = run.option("depths", list)
    if len(depths) != 4:
        run.refuse("depths", "timm's and torchvision's ResNets have four stages; read the tensors with state_dict")
    if run.option("stem", str) not in _STEMS:
        run.refuse("stem", f"is not one of {', '.join(_STEMS)}")
    return depths, run.option("block", str) == "bottleneck", run.option("width", int), run.option("output_stride", int)


def _replace_stem(model: Any, stem: str, width: int) -> None:
    """Theirs is of 7x7, 64 channels and a max-pool: as one does for small pictures, it is exchanged."""
    if stem == "7x7":
        model.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        return
    model.conv1 = nn.Conv2d(3, width, 3, stride=_STEMS[stem], padding=1, bias=False)
    model.maxpool = nn.Identity()


def timm_resnet(run: Run) -> nn.Module:
    from timm.models.resnet import BasicBlock, Bottleneck, ResNet, downsample_conv

    depths, bottleneck, width, output_stride = _resnet_options(run)
    block, stem = Bottleneck if bottleneck else BasicBlock, run.option("stem", str)
    stride = output_stride * 4 // _STEMS[stem]  # timm counts the stem as 4, whatever it is
    if stride < 8:
        run.refuse("output_stride", "timm's ResNet has 8, 16 or 32; read the tensors with state_dict")
    model = ResNet(block, depths, num_classes=0, output_stride=min(stride, 32), channels=[width << i for i in range(4)])
    _replace_stem(model, stem, width)
    if width != 64:  # the first stage, too, was made for a stem of 64 channels
        model.bn1 = nn.BatchNorm2d(width)
        model.layer1[0] = block(width, width, downsample=downsample_conv(width, 4 * width, 1) if bottleneck else None)
    return model


def torchvision_resnet(run: Run) -> nn.Module:
    from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

    depths, bottleneck, width, output_stride = _resnet_options(run)
    if width != 64:
        run.refuse("width", "torchvision's ResNet begins with 64 channels; into='timm' takes it")
    stem = run.option("stem", str)
    stride, dilate = _STEMS[stem], []
    for _ in range(3):
        dilate.append(2 * stride > output_stride)
        stride *= 1 if dilate[-1] else 2
    if any(dilate) and not bottleneck:
        run.refuse("output_stride", "torchvision's basic blocks do not dilate; into='timm' takes it")
    model = ResNet(Bottleneck if bottleneck else BasicBlock, depths, replace_stride_with_dilation=dilate)
    _replace_stem(model, stem, width)
    model.fc = nn.Identity()
    return model


def _refuse_vitdets(run: Run) -> None:
    for key in ("window_size", "relative_positions"):
        if run.model.get(key):
            run.refuse(key, "neither timm's nor torchvision's VisionTransformer has ViTDet's attention; read the tensors with state_dict")


def timm_vit(run: Run) -> nn.Module:
    from timm.models.vision_transformer import VisionTransformer

    _refuse_vitdets(run)
    return VisionTransformer(
        img_size=run.option("image_size", int),
        patch_size=run.option("patch_size", int),
        embed_dim=run.option("dim", int),
        depth=run.option("depth", int),
        num_heads=run.option("heads", int),
        mlp_ratio=run.option("mlp_ratio", (int, float)),
        class_token=run.option("class_token", bool),
        global_pool=run.option("global_pool", str),
        num_classes=0,
        dynamic_img_size=True,  # pictures of another size get their positions resized, as in freeatm
    )


def torchvision_vit(run: Run) -> nn.Module:
    from torchvision.models import VisionTransformer

    _refuse_vitdets(run)
    dim = run.option("dim", int)
    model = VisionTransformer(
        image_size=run.option("image_size", int),
        patch_size=run.option("patch_size", int),
        num_layers=run.option("depth", int),
        num_heads=run.option("heads", int),
        hidden_dim=dim,
        mlp_dim=int(dim * run.option("mlp_ratio", (int, float))),
    )
    model.heads = nn.Identity()
    return model


BUILD = {
    ("resnet", "timm"): timm_resnet,
    ("resnet", "torchvision"): torchvision_resnet,
    ("vit", "timm"): timm_vit,
    ("vit", "torchvision"): torchvision_vit,
}
