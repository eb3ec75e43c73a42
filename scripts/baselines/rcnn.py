# SPDX-License-Identifier: Apache-2.0
"""Faster and Mask R-CNN of torchvision for tests/models/rcnn_test.cpp: python scripts/baselines/rcnn.py

Weights are uniform with variance 1 / fan_in from a hash of our names; pictures, boxes and masks from formulas; boxes are sampled by the least
hash values, which the test replays. In fp64: what is found in evaluation, the losses, each parameter's gradient. rcnn_names.json has the
names and shapes of torchvision's state dicts, of its V1 files as they lie on disk, too."""
import json
import math

import torch
from cases import DATA, gradient_numbers, sampled, tensor, write_cases
from hash_weights import hash_array
from torchvision.models.detection import FasterRCNN, MaskRCNN, _utils, faster_rcnn, mask_rcnn
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.resnet import resnet50
from torchvision.ops.misc import FrozenBatchNorm2d

CLASSES, SHORT, LONG = 5, 64, 90
CASES = {
    "faster": {"masks": False, "version": 1},
    "mask": {"masks": True, "version": 1},
    "mask_without_objects": {"masks": True, "version": 1, "empty": True},
    "faster_v2": {"masks": False, "version": 2},
    "mask_v2": {"masks": True, "version": 2},
}


def build(masks, version, **_):
    size = {"min_size": SHORT, "max_size": LONG, "num_classes": CLASSES + 1, "rpn_batch_size_per_image": 64, "box_batch_size_per_image": 32}
    size |= {f"rpn_{when}_nms_top_n_{mode}": count for when, count in (("pre", 200), ("post", 60)) for mode in ("train", "test")}
    size |= {"box_detections_per_img": 30}
    if version == 2:
        make = mask_rcnn.maskrcnn_resnet50_fpn_v2 if masks else faster_rcnn.fasterrcnn_resnet50_fpn_v2
        return make(weights=None, weights_backbone=None, trainable_backbone_layers=5, **size)
    body = _resnet_fpn_extractor(resnet50(weights=None, norm_layer=FrozenBatchNorm2d), 5)
    return (MaskRCNN if masks else FasterRCNN)(body, **size)


def own_name(name):
    return name.replace("backbone.body.", "backbone.").replace("backbone.fpn.", "fpn.")


def fill(model):
    with torch.no_grad():
        for name, value in [*model.named_parameters(), *model.named_buffers()]:
            if not value.is_floating_point():
                continue
            fan_in = value[0].numel() if value.dim() > 1 else 100
            around_one = value.dim() == 1 and name.endswith(("weight", "running_var"))
            value.copy_(torch.from_numpy(hash_array(own_name(name), tuple(value.shape), math.sqrt(3 / fan_in))) + (1.0 if around_one else 0.0))


def pictures():
    return [(tensor(f"picture{i}", 3, *size).double() + 1) / 2 for i, size in enumerate([(90, 120), (100, 70)])]


BOXES = [[[10.0, 20, 50, 70], [60, 5, 115, 60], [30, 30, 44, 41]], [[5, 40, 60, 95.5]]]


def targets(masks, empty):
    out = []
    for picture, boxes in zip(pictures(), BOXES):
        boxes = torch.tensor(boxes if not empty else [], dtype=torch.float64).view(-1, 4)
        target = {"boxes": boxes, "labels": torch.arange(len(boxes)) % CLASSES + 1}
        y, x = torch.meshgrid(*(torch.arange(n) for n in picture.shape[1:]), indexing="ij")
        if masks:  # the ellipse in each box
            cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
            rx, ry = (boxes[:, 2] - boxes[:, 0]) / 2, (boxes[:, 3] - boxes[:, 1]) / 2
            inside = [((x - cx[i]) / rx[i]) ** 2 + ((y - cy[i]) / ry[i]) ** 2 <= 1 for i in range(len(boxes))]
            target["masks"] = torch.stack(inside).to(torch.uint8) if inside else torch.zeros(0, *picture.shape[1:], dtype=torch.uint8)
        out.append(target)
    return out


class LeastKeys(_utils.BalancedPositiveNegativeSampler):
    def __call__(self, matched_idxs):
        positives, negatives = [], []
        for labels in matched_idxs:
            keys = tensor("keys", len(labels))
            masks = []
            for places, count in ((labels >= 1, int(self.batch_size_per_image * self.positive_fraction)), (labels == 0, None)):
                places = torch.where(places)[0]
                count = min(len(places), self.batch_size_per_image - int(masks[0].sum()) if masks else count)
                mask = torch.zeros(len(labels), dtype=torch.uint8)
                mask[places[keys[places].argsort()[:count]]] = 1
                masks.append(mask)
            positives.append(masks[0])
            negatives.append(masks[1])
        return positives, negatives


def values_of(data):
    model = build(**data)
    fill(model)
    model = model.double()
    model.rpn.fg_bg_sampler = LeastKeys(64, 0.5)
    model.roi_heads.fg_bg_sampler = LeastKeys(32, 0.25)
    values = {}
    if not data.get("empty"):
        model.eval()
        with torch.no_grad():
            images, _ = model.transform(pictures())
            features = model.backbone(images.tensors)
            proposals, _ = model.rpn(images, features)
            found, _ = model.roi_heads(features, proposals, images.image_sizes)
        for i, (one, proposed) in enumerate(zip(found, proposals)):
            print(data, len(proposed), "proposals,", len(one["scores"]), "found, scores", one["scores"][[0, -1]].tolist())
            values[f"proposals{i}"] = sampled(proposed)
            for key, value in one.items():
                values[f"{key}{i}"] = sampled(value)
        values["level0"] = sampled(features["0"])
    model.train()
    losses = model(pictures(), targets(data["masks"], data.get("empty", False)))
    print(data, {key: value.item() for key, value in losses.items()})
    values |= {key: value.detach() for key, value in losses.items()}
    sum(losses.values()).backward()
    renamed = torch.nn.Module()
    renamed.named_parameters = lambda: [(own_name(name), p) for name, p in model.named_parameters()]
    return values | {"gradients": gradient_numbers(renamed)}


def file_names(masks, version):
    """As the published files have them: those of V1 lack the counts of batches and were written before blocks had numbers."""
    names = {}
    for name, value in build(masks, version).state_dict().items():
        if version == 1:
            name = name.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
            for part in ("inner_blocks", "layer_blocks"):
                for i in range(4):
                    name = name.replace(f"{part}.{i}.0.", f"{part}.{i}.")
            for i in range(4):
                name = name.replace(f"mask_head.{i}.0.", f"mask_head.mask_fcn{i + 1}.")
        names[name] = list(value.shape)
    return names


if __name__ == "__main__":
    torch.manual_seed(0)
    write_cases("rcnn", CASES, values_of)
    names = {key: {"file": file_names(masks, version), "state": {k: list(v.shape) for k, v in build(masks, version).state_dict().items()}}
             for key, (masks, version) in {"mask_v1": (True, 1), "mask_v2": (True, 2), "faster_v1": (False, 1)}.items()}
    (DATA / "rcnn_names.json").write_text(json.dumps(names, separators=(",", ":")) + "\n")
