# SPDX-License-Identifier: Apache-2.0
"""ROIAlign over a feature pyramid of 256 channels, its gradient included, and NMS, plain and within 80 classes, beside torchvision's
operators (eager), on the same regions and boxes. Our models run channels last; torchvision's operator wants contiguous features, and gets
them."""
import time

import numpy as np
import torch
from torchvision import ops

from peers.train import Freeatm

SECONDS = 1  # a round


def scattered_boxes(count, picture):
    """As bench/ops_bench.cpp has them."""
    n = torch.arange(count, dtype=torch.float64)
    width = picture * torch.exp2(-5 * (n * 0.6180339887).frac())
    height = (width * torch.exp2((n * 0.4142135623).frac() - 0.5)).clamp(max=picture)
    x, y = (picture - width) * (n * 0.7548776662).frac(), (picture - height) * (n * 0.5698402909).frac()
    return torch.stack([x, y, x + width, y + height], 1).float()


def seconds_a_call(call):
    seconds, start = [], time.perf_counter()
    call()
    while len(seconds) < 3 or time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return float(np.mean(seconds))  # as Google Benchmark's


def roi_align(picture, count, bins, backward):
    boxes = scattered_boxes(count, picture)
    level = (4 + (ops.box_area(boxes).sqrt() / 224).log2()).floor().clamp(2, 5)
    regions = [torch.nn.functional.pad(boxes[level == i + 2], (1, 0)) for i in range(4)]
    features = [torch.randn(1, 256, -(-picture // (4 << i)), -(-picture // (4 << i)), requires_grad=backward) for i in range(4)]
    gradients = [torch.randn(len(rois), 256, bins, bins) for rois in regions]

    def call():
        for i in range(4):
            pooled = ops.roi_align(features[i], regions[i], bins, 1 / (4 << i), 2)
            if backward:
                pooled.backward(gradients[i])
                features[i].grad = None

    return lambda: 1000 * seconds_a_call(call)


def nms(count, kinds):
    boxes, classes = scattered_boxes(count, 800), torch.arange(count) % kinds
    scores = (torch.arange(count, dtype=torch.float64) * 0.3247179572).frac().float()
    return lambda: 1e6 * seconds_a_call((lambda: ops.batched_nms(boxes, scores, classes, 0.5)) if kinds > 1 else (lambda: ops.nms(boxes, scores, 0.7)))


def run(options, compare):
    torch.set_num_threads(options.threads)
    ours = Freeatm(options, None)

    def contestants(bench, layouts, peer):
        return {name: lambda tail=tail: ours.bench(f"{bench}{tail}/real_time")["real_time"] for name, tail in layouts.items()} | {"torchvision, eager": peer}

    for picture, count in ((320, 512), (800, 1000)):
        for bins in (7, 14):
            for backward in (False, True):
                bench = f"roi_align_of_levels/picture:{picture}/rois:{count}/bins:{bins}/backward:{int(backward)}"
                layouts = {"freeatm, channels last": "/last:1", "freeatm, contiguous": "/last:0"}
                compare(f"ROIAlign{', with its gradient' if backward else ''}, {picture} pixels, {count} regions, {bins} x {bins} bins", "ms",
                        contestants(bench, layouts, roi_align(picture, count, bins, backward)), options.rounds)
    for count in (2000, 8000):
        for kinds in (1, 80):
            compare(f"NMS of {count} boxes{f' within {kinds} classes' if kinds > 1 else ''}", "us",
                    contestants(f"nms_of_boxes/boxes:{count}/classes:{kinds}", {"freeatm": ""}, nms(count, kinds)), options.rounds)
