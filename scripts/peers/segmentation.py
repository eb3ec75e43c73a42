# SPDX-License-Identifier: Apache-2.0
"""Training steps of two crops of 256 pixels in memory: FCN on a dilated ResNet-50 with its auxiliary head and 21 classes beside torchvision's, and
UPerNet on ViT-S/16 with 150 classes beside timm's ViT with transformers' heads. Eager: channels last, fused optimiser; and compiled."""
import torch
from timm.models.vision_transformer import VisionTransformer
from torch.nn import functional as F
from torchvision.models.segmentation import fcn_resnet50
from transformers import ResNetConfig, UperNetConfig
from transformers.models.upernet.modeling_upernet import UperNetFCNHead, UperNetHead

from peers.masked import median_seconds
from peers.train import Freeatm

SIDE, BATCH, DIM = 256, 2, 384


class UperNetViT(torch.nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.vit = VisionTransformer(img_size=SIDE, embed_dim=DIM, depth=12, num_heads=6, num_classes=0)
        self.vit.norm.requires_grad_(False)
        double = lambda: torch.nn.ConvTranspose2d(DIM, DIM, 2, 2)  # noqa: E731
        self.fpn1 = torch.nn.Sequential(double(), torch.nn.BatchNorm2d(DIM), torch.nn.GELU(), double())
        self.fpn2 = double()
        config = UperNetConfig(backbone_config=ResNetConfig(), num_labels=classes, auxiliary_in_channels=DIM)
        self.head, self.auxiliary = UperNetHead(config, [DIM] * 4), UperNetFCNHead(config, [DIM] * 4)

    def forward(self, x):
        a, b, c, d = self.vit.forward_intermediates(x, indices=[3, 5, 7, 11], intermediates_only=True)
        levels = [self.fpn1(a), self.fpn2(b), c, F.max_pool2d(d, 2, 2)]
        return {key: F.interpolate(head(levels), x.shape[-2:], mode="bilinear", align_corners=False)
                for key, head in (("out", self.head), ("aux", self.auxiliary))}


class Peer:
    def __init__(self, model, classes, optimizer, compiled):
        self.model = model.to(memory_format=torch.channels_last).train()
        self.run = torch.compile(self.model) if compiled else self.model
        self.optimizer = optimizer([p for p in self.model.parameters() if p.requires_grad])
        self.pixels = torch.randint(256, (BATCH, SIDE, SIDE, 3), dtype=torch.uint8)
        self.labels = torch.randint(classes, (BATCH, SIDE, SIDE))
        self.mean, self.deviation = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def step(self):
        images = (self.pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.deviation
        out = self.run(images)
        loss = F.cross_entropy(out["out"], self.labels, ignore_index=255) + 0.4 * F.cross_entropy(out["aux"], self.labels, ignore_index=255)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def seconds(self):
        return median_seconds(self.step)


def fcn(compiled):
    model = fcn_resnet50(weights=None, weights_backbone=None, num_classes=21, aux_loss=True)
    return Peer(model, 21, lambda p: torch.optim.SGD(p, 1e-4, momentum=0.9, weight_decay=5e-4, fused=True), compiled)


def upernet(compiled):
    return Peer(UperNetViT(150), 150, lambda p: torch.optim.AdamW(p, 1e-4, weight_decay=0.05, fused=True), compiled)


def run(options, compare):
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    ours = Freeatm(options, None)
    for title, bench, peer in (("FCN ResNet-50, 256 px, training step of 2", "fcn_step", fcn),
                               ("UPerNet ViT-S/16, 256 px, training step of 2", "upernet_step", upernet)):
        peers = {"PyTorch, eager": peer(False)}
        if not options.no_compile:
            peers["PyTorch, compiled"] = peer(True)
        contestants = {"freeatm": lambda bench=bench: ours.bench(f"{bench}/real_time")["real_time"] / 1000}
        compare(title, "s", contestants | {name: one.seconds for name, one in peers.items()}, options.rounds)
