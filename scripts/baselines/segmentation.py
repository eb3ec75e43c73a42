# SPDX-License-Identifier: Apache-2.0
"""Semantic segmenters for tests/models/segmentation_test.cpp: python scripts/baselines/segmentation.py

torchvision's fcn_resnet50, and transformers' UperNet heads behind torchvision's ResNet-18 and behind a plain ViT of timm whose blocks become
levels as in MAE's and BEiT's code. Weights are uniform with variance 1 / fan_in from a hash of our names, pictures from formulas. In fp64:
logits in evaluation; cross entropies in training without dropout, and each parameter's gradient. segmentation_names.json has the names and
shapes of the models' state dicts."""
import json

import torch
from cases import DATA, gradient_numbers, sampled, tensor, write_cases
from rcnn import fill
from timm.models.vision_transformer import VisionTransformer
from torch.nn import functional as F
from torchvision.models import resnet18
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation import fcn_resnet50
from transformers import ResNetConfig, UperNetConfig
from transformers.models.upernet.modeling_upernet import UperNetFCNHead, UperNetHead

CLASSES, HEIGHT, WIDTH = 5, 64, 96
CASES = {"fcn": {}, "upernet": {}, "upernet_vit": {}}


class Wide(torch.nn.Module):
    """A plain ViT's blocks 2, 3, 4 and 6 of 6 at a quarter, a half, once and twice the stride of its patches."""

    def __init__(self, dim):
        super().__init__()
        double = lambda: torch.nn.ConvTranspose2d(dim, dim, 2, 2)  # noqa: E731
        self.fpn1 = torch.nn.Sequential(double(), torch.nn.BatchNorm2d(dim), torch.nn.GELU(), double())
        self.fpn2 = torch.nn.Sequential(double())

    def forward(self, a, b, c, d):
        return self.fpn1(a), self.fpn2(b), c, F.max_pool2d(d, 2, 2)


class UperNet(torch.nn.Module):
    def __init__(self, is_vit):
        super().__init__()
        if is_vit:
            self.backbone = VisionTransformer(img_size=64, patch_size=8, embed_dim=32, depth=6, num_heads=2, num_classes=0, dynamic_img_size=True)
            self.neck = Wide(32)
        else:
            self.backbone = IntermediateLayerGetter(resnet18(weights=None), {f"layer{i}": str(i) for i in range(1, 5)})
        widths = [32] * 4 if is_vit else [64, 128, 256, 512]
        config = UperNetConfig(backbone_config=ResNetConfig(), hidden_size=24, auxiliary_channels=16, num_labels=CLASSES)
        self.decode_head = UperNetHead(config, widths)
        self.auxiliary_head = UperNetFCNHead(UperNetConfig(backbone_config=ResNetConfig(), auxiliary_in_channels=widths[2], auxiliary_channels=16,
                                                           num_labels=CLASSES), widths)

    def forward(self, x):
        if hasattr(self, "neck"):
            levels = self.neck(*self.backbone.forward_intermediates(x, indices=[1, 2, 3, 5], intermediates_only=True))
        else:
            levels = list(self.backbone(x).values())
        heads = {"out": self.decode_head, "aux": self.auxiliary_head}
        return {key: F.interpolate(head(levels), x.shape[-2:], mode="bilinear", align_corners=False) for key, head in heads.items()}


def build(case):
    if case == "fcn":
        return fcn_resnet50(weights=None, weights_backbone=None, num_classes=CLASSES, aux_loss=True)
    return UperNet(case == "upernet_vit")


def values_of(data):
    case = next(name for name, one in CASES.items() if one is data)
    model = build(case)
    fill(model)
    model = model.double()
    images = tensor("images", 2, 3, HEIGHT, WIDTH).double()
    labels = (torch.arange(2 * HEIGHT * WIDTH) // 37 % (CLASSES + 1)).view(2, HEIGHT, WIDTH)
    labels[labels == CLASSES] = 255
    with torch.no_grad():
        values = {"logits": sampled(model.eval()(images)["out"])}
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    out = model.train()(images)
    losses = {key: F.cross_entropy(out[key], labels, ignore_index=255) for key in ("out", "aux")}
    print(case, {key: value.item() for key, value in losses.items()})
    (losses["out"] + 0.4 * losses["aux"]).backward()
    learnt = torch.nn.Module()
    learnt.named_parameters = lambda: [(name, p) for name, p in model.named_parameters() if p.grad is not None]
    return values | {key: value.detach() for key, value in losses.items()} | {"gradients": gradient_numbers(learnt)}


if __name__ == "__main__":
    torch.manual_seed(0)
    write_cases("segmentation", CASES, values_of)
    names = {case: {key: list(value.shape) for key, value in build(case).state_dict().items()} for case in CASES}
    lines = [f"{json.dumps(case)}: {json.dumps(shapes)}" for case, shapes in names.items()]
    (DATA / "segmentation_names.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
