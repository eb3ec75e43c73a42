# SPDX-License-Identifier: Apache-2.0
"""Mask R-CNN R50-FPN at 320 pixels: a training step of two pictures with five objects each, and inference of one, on pictures in memory, beside
torchvision's (channels last, fused SGD), eager and with its backbone compiled."""
import os
import tempfile

import torch
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.ops.misc import FrozenBatchNorm2d

from peers.masked import median_seconds
from peers.train import Freeatm

SIDE, BATCH, OBJECTS, CONTRAST = 320, 2, 5, 40


def frozen(module):
    """As torchvision has it with pretrained weights, which are not here."""
    for name, child in module.named_children():
        if isinstance(child, torch.nn.BatchNorm2d):
            setattr(module, name, FrozenBatchNorm2d(child.num_features))
        else:
            frozen(child)


class Peer:
    def __init__(self, compiled):
        torch.manual_seed(0)
        self.model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, min_size=SIDE, max_size=1333)
        frozen(self.model.backbone.body)
        for name, parameter in self.model.backbone.body.named_parameters():
            parameter.requires_grad_(not name.startswith(("conv1", "layer1")))
        self.model = self.model.to(memory_format=torch.channels_last)
        with torch.no_grad():  # scores that differ between classes: some boxes are found, and their masks
            self.model.roi_heads.box_predictor.cls_score.weight *= CONTRAST
        self.weights = {name: value.clone() for name, value in self.model.state_dict().items()}
        if compiled:
            self.model.backbone = torch.compile(self.model.backbone)
        self.optimizer = torch.optim.SGD([p for p in self.model.parameters() if p.requires_grad], 1e-4, momentum=0.9, weight_decay=1e-4, fused=True)
        self.pixels = torch.randint(256, (BATCH, SIDE, SIDE, 3), dtype=torch.uint8)
        self.picture = (torch.arange(SIDE * SIDE * 3) * 37 % 256).to(torch.uint8).view(SIDE, SIDE, 3)  # as in bench/detection_bench.cpp
        self.targets = []
        for _ in range(BATCH):
            boxes, masks = torch.zeros(OBJECTS, 4), torch.zeros(OBJECTS, SIDE, SIDE, dtype=torch.uint8)
            for i in range(OBJECTS):
                first, side = 20 * i, 40 + 30 * i
                boxes[i] = torch.tensor([first, first, first + side, first + side])
                masks[i, first : first + side, first : first + side] = 1
            self.targets.append(dict(boxes=boxes, labels=torch.randint(1, 90, (OBJECTS,)), masks=masks))

    def images(self):
        return list((self.pixels.permute(0, 3, 1, 2).float() / 255))

    def step(self):
        self.model.train()
        loss = sum(self.model(self.images(), self.targets).values())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def infer(self):
        self.model.eval()
        with torch.inference_mode():
            return self.model([self.picture.permute(2, 0, 1).float() / 255])[0]

    def seconds_a_step(self):
        return median_seconds(self.step)

    def seconds_a_picture(self):
        return median_seconds(self.infer)


def run(options, compare):
    torch.set_num_threads(options.threads)
    ours = Freeatm(options, None)
    peers = {"torchvision, eager": Peer(False)}
    if not options.no_compile:
        peers["torchvision, backbone compiled"] = Peer(True)
    first = peers["torchvision, eager"]
    print(f"torchvision finds {len(first.infer()['boxes'])} objects")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FREEATM_BENCH_DETECTOR"] = f"{folder}/detector.pth"
        torch.save(first.weights, os.environ["FREEATM_BENCH_DETECTOR"])
        for title, bench, method in (("Mask R-CNN R50-FPN, 320 px, training step of 2", "detection_step", "seconds_a_step"),
                                     ("Mask R-CNN R50-FPN, 320 px, inference of 1", "detection_inference", "seconds_a_picture")):
            contestants = {"freeatm": lambda bench=bench: ours.bench(f"{bench}/real_time")["real_time"] / 1000}
            contestants |= {name: getattr(peer, method) for name, peer in peers.items()}
            compare(title, "s", contestants, options.rounds)
