# SPDX-License-Identifier: Apache-2.0
"""What torchvision's detection operators give, for the tests of the layer ops: .deps/peers/bin/python scripts/baselines/detection_ops.py

Features and masks come from hash_weights.py; stored is the rest."""
from pathlib import Path

import torch
from hash_weights import hash_array
from safetensors.torch import save_file
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.roi_heads import paste_masks_in_image

DATA = Path(__file__).resolve().parents[2] / "tests/ops/data"
# Inside, at all four borders, across them, outside on either side, tiny, a point, turned round, the whole and far more than it; exact in fp32.
BOXES = [[3.25, 5, 30.5, 21.75], [0, 0, 64, 48], [-9, -7, 12, 10], [50, 30, 90, 70], [-40, -40, -20, -20], [80, 60, 100, 90], [20, 10, 20.5, 10.25],
         [31, 17, 31, 17], [40, 30, 24, 22], [-300, -200, 500, 400], [60, 2, 63.5, 47], [-4, 8, 68, 12]]


def tensor(name, *shape):
    return torch.from_numpy(hash_array(name, shape))


def roi_align():
    def case(shape, height, width, scale, ratio, aligned):
        rois = torch.tensor([[i % shape[0], *box] for i, box in enumerate(BOXES)], dtype=torch.float64)
        features = tensor("features", *shape).double().requires_grad_()
        out = ops.roi_align(features, rois, (height, width), scale, ratio, aligned)
        (out * tensor("loss", *out.shape)).sum().backward()
        options = torch.tensor([height, width, scale, ratio, aligned], dtype=torch.float64)
        return {"shape": torch.tensor(shape), "options": options, "rois": rois, "out": out.detach(), "gradient": features.grad}

    return {"legacy": case((2, 3, 12, 16), 7, 7, 0.25, 2, False), "aligned": case((2, 3, 12, 16), 7, 7, 0.25, 2, True),
            "adaptive": case((3, 2, 12, 16), 4, 3, 0.25, 0, False), "adaptive_aligned": case((3, 2, 24, 32), 3, 4, 0.5, 0, True),
            "many_bins": case((1, 2, 6, 8), 14, 14, 0.125, 2, False), "channels": case((1, 83, 6, 8), 2, 2, 0.125, 3, True),
            "one_pixel": case((1, 4, 1, 1), 2, 2, 0.015625, 2, False), "one_row": case((1, 2, 1, 16), 3, 2, 0.25, 1, True)}


def nms():
    def case(boxes, scores, threshold, classes=None):
        threshold = float(threshold)
        kept = ops.nms(boxes, scores, threshold) if classes is None else ops.batched_nms(boxes, scores, classes, threshold)
        out = {"boxes": boxes, "scores": scores, "threshold": torch.tensor(threshold, dtype=torch.float64), "kept": kept}
        return out if classes is None else out | {"classes": classes}

    def boxes(name, count, size):
        corner = 50 + 50 * tensor(f"{name}.corner", count, 2)
        return torch.cat([corner, corner + size * (1.1 + tensor(f"{name}.size", count, 2))], 1)

    crowd, scores = boxes("crowd", 300, 20), tensor("scores", 300)
    grid = torch.tensor([[x, y, x + 4, y + 2] for x in range(8) for y in range(6)], dtype=torch.float32)  # IoU 3/5, 1/3, 1/7 ...: ties at thresholds
    classes = (tensor("classes", 300) * 4).long() * 1000
    return {"low": case(crowd, scores, 0.1), "half": case(crowd, scores, 0.5), "high": case(crowd, scores, 0.9), "doubles": case(crowd.double(), scores.double(), 0.5),
            "grid_tie": case(grid, (tensor("grid", 48) * 4).round(), 0.6), "grid": case(grid, tensor("grid", 48), 1 / 3), "third": case(grid, tensor("grid", 48), 0.3),
            "equal": case(grid[:1].expand(9, 4).contiguous(), torch.arange(9.0) % 3, 0.99), "equal_allowed": case(grid[:1].expand(9, 4).contiguous(), torch.arange(9.0) % 3, 1),
            "empty": case(grid[:0], grid[:0, 0], 0.5), "points": case(grid * torch.tensor([1, 1, 0, 0]), tensor("grid", 48), 0.5),
            "classes": case(crowd, scores, 0.3, classes), "one_class": case(crowd, scores, 0.3, torch.full((300,), -7))}


def boxes():
    of_boxes, deltas = torch.tensor(BOXES)[[0, 1, 2, 3, 10, 11]], 3 * tensor("deltas", 6, 12)
    deltas[2], deltas[3, 3:8] = 1e3, -1e3
    others = of_boxes + 9 * (tensor("others", 6, 4) + torch.tensor([-1.0, -1, 1, 1]))
    out = {"boxes": of_boxes, "others": others, "deltas": deltas, "iou": ops.box_iou(of_boxes, others[:5]), "clipped": ops.clip_boxes_to_image(others, (40, 50))}
    for name, weights in (("ones", (1.0, 1, 1, 1)), ("tens", (10.0, 10, 5, 5))):
        coder = BoxCoder(weights)
        out |= {f"{name}/encoded": coder.encode_single(others, of_boxes), f"{name}/decoded": coder.decode_single(deltas, of_boxes).reshape(6, 3, 4)}
    return out


def paste_masks():
    out = {}
    for size in (28, 14, 1):
        mask = (tensor("mask", size, size) + 1) / 2
        # torchvision fails on boxes that lie wholly outside.
        for index, box in enumerate(BOXES[:4] + BOXES[6:]):
            pasted = paste_masks_in_image(mask[None, None], torch.tensor([box]), (48, 64))[0, 0] > 0.5
            out |= {f"{size}.{index}/box": torch.tensor(box, dtype=torch.float64), f"{size}.{index}/size": torch.tensor(size), f"{size}.{index}/pasted": pasted.byte()}
    return out


DATA.mkdir(parents=True, exist_ok=True)
for make in (roi_align, nms):
    save_file({f"{case}/{key}": value.clone(memory_format=torch.contiguous_format) for case, values in make().items() for key, value in values.items()}, DATA / f"{make.__name__}.safetensors")
for make in (boxes, paste_masks):
    save_file({key: value.clone(memory_format=torch.contiguous_format) for key, value in make().items()}, DATA / f"{make.__name__}.safetensors")
