# SPDX-License-Identifier: Apache-2.0
"""What pycocotools makes of masks, polygons and boxes -> tests/vision/data/rle.json

    .deps/judges/bin/python scripts/baselines/rle.py
"""
import json
from pathlib import Path

import numpy as np
from pycocotools import mask as coco

OUT = Path(__file__).resolve().parents[2] / "tests/vision/data/rle.json"
random = np.random.default_rng(0)


def masks():
    yield np.zeros((3, 4), bool)
    yield np.ones((3, 4), bool)
    yield np.eye(5, 7, dtype=bool)
    yield np.arange(20).reshape(4, 5) % 2 == 0  # many runs of one pixel
    for height, width, share in [(1, 1, 1), (1, 9, 0.5), (9, 1, 0.5), (17, 23, 0.1), (23, 17, 0.5), (16, 16, 0.95)]:
        yield random.random((height, width)) < share
    yield np.hypot(*(np.mgrid[0:64, 0:64] - 30.5)) < 20  # a disc
    wide = np.zeros((40, 60), bool)
    wide[10:15, 1:59] = wide[38:, 30:] = True
    yield wide
    long_runs = np.zeros((60, 60), bool)  # runs of more than 1023 pixels: three groups of five bits
    long_runs[:, 20:40] = True
    yield long_runs


def polygons():
    """(height, width, polygons): the parts of one object."""
    yield 10, 12, [[2, 3, 2, 3, 2, 3]]  # a point
    yield 10, 12, [[2, 3, 9, 3, 2, 3]]  # a line along a row
    yield 10, 12, [[2, 1, 2, 8, 2, 1]]  # along a column
    yield 10, 12, [[1, 1, 9, 8, 1, 1]]  # across
    yield 10, 12, [[0, 0, 0, 10, 12, 10, 12, 0]]  # the whole picture
    yield 10, 12, [[-5, -5, -5, 30, 30, 30, 30, -5]]  # around it
    yield 10, 12, [[-9, -9, -3, -9, -3, -3]]  # beside it
    yield 10, 12, [[20, 20, 30, 20, 30, 30]]
    yield 10, 12, [[0.5, 0.5, 0.5, 4.5, 4.5, 4.5, 4.5, 0.5]]  # corners on pixel centres
    yield 10, 12, [[0, 0, 8, 8, 8, 0, 0, 8]]  # crosses itself
    yield 10, 12, [[1, 1, 1, 6, 6, 6, 6, 1], [4, 4, 4, 9, 9, 9, 9, 4]]  # overlapping parts
    yield 10, 12, [[1, 1, 1, 6, 6, 6, 6, 1], [1, 1, 1, 6, 6, 6, 6, 1]]  # twice the same
    yield 1, 1, [[0, 0, 0, 1, 1, 1, 1, 0]]
    yield 1, 7, [[0.2, 0.1, 3.3, 0.9, 6.6, 0.4]]
    yield 7, 1, [[0.2, 0.1, 0.9, 3.3, 0.4, 6.6]]
    yield 30, 30, [[-1e5, 3, 1e5, 5, 15, 1e5]]  # far corners
    for i in range(250):
        height, width = random.integers(1, 70, 2).tolist()
        size = np.array([width, height])
        parts = []
        for _ in range(random.integers(1, 4)):
            corners = int(random.integers(3, 14))
            if i % 5 == 0:  # integers, some outside
                points = random.integers(-5, size + 6, (corners, 2)).astype(float)
            elif i % 5 == 1:  # halves and fifths: every rounding's border
                points = random.integers(-20, size * 10 + 20, (corners, 2)) / 10
            elif i % 5 == 2:  # anywhere, crossing itself, far outside
                points = random.uniform(-1.5, 2.5, (corners, 2)) * size
            elif i % 5 == 3:  # thinner than a pixel
                points = random.uniform(0, 1, 2) * size + random.normal(0, 0.6, (corners, 2))
            else:  # round, as annotators draw
                angles = np.sort(random.uniform(0, 2 * np.pi, corners))
                radius = random.uniform(0.1, 0.6) * size * random.uniform(0.7, 1, (corners, 1))
                points = random.uniform(0.2, 0.8, 2) * size + radius * np.stack([np.cos(angles), np.sin(angles)], -1)
            parts.append(np.round(points, 2).ravel().tolist())
        yield height, width, parts


def boxes():
    yield 10, 12, [0, 0, 12, 10]
    yield 10, 12, [3, 3, 0, 0]
    yield 10, 12, [-4, -4, 30, 6]
    for _ in range(40):
        height, width = random.integers(1, 40, 2).tolist()
        yield height, width, np.round(np.r_[random.uniform(-5, 40, 2), random.uniform(0, 30, 2)], 1).tolist()


def text(rle):
    return rle["counts"].decode()


def mask_case(mask):
    rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    rows = ["".join("01"[int(v)] for v in row) for row in mask]
    return {"rows": rows, "counts": text(rle), "area": int(coco.area(rle)), "bbox": coco.toBbox(rle).tolist()}


def polygon_case(height, width, parts):
    rles = [coco.frPyObjects([part], height, width)[0] for part in parts]
    return {"size": [height, width], "polygons": parts, "parts": [text(r) for r in rles], "counts": text(coco.merge(rles))}


def pair_case():
    """Merging and overlap of three masks of one size, empty and full ones among them."""
    height, width = random.integers(1, 25, 2).tolist()
    shares = random.choice([0, 0.1, 0.5, 0.9, 1], 3)
    rles = [coco.encode(np.asfortranarray((random.random((height, width)) < share).astype(np.uint8))) for share in shares]
    a, b, _ = rles
    return {
        "size": [height, width],
        "counts": [text(r) for r in rles],
        "union": text(coco.merge(rles)),
        "intersection": text(coco.merge(rles, intersect=True)),
        "iou": coco.iou([a], [b], [False])[0][0],
        "crowd_iou": coco.iou([a], [b], [True])[0][0],
    }


def box_iou_case():
    a, b = np.round(random.uniform(0, 10, (2, 4)), 1).tolist()
    return {"boxes": [a, b], "iou": coco.iou([a], [b], [False])[0][0], "crowd_iou": coco.iou([a], [b], [True])[0][0]}


def run_case():
    """Plain run lengths, as COCO stores crowds."""
    height, width = random.integers(2, 30, 2).tolist()
    cuts = np.sort(random.integers(1, height * width, 5)).tolist()
    runs = np.diff([0, *cuts, height * width]).tolist()
    return {"size": [height, width], "runs": runs, "counts": text(coco.frPyObjects({"size": [height, width], "counts": runs}, height, width))}


def main():
    groups = {
        "masks": [mask_case(mask) for mask in masks()],
        "polygons": [polygon_case(*case) for case in polygons()],
        "boxes": [{"size": [h, w], "bbox": box, "counts": text(coco.frPyObjects(np.array([box], float), h, w)[0])} for h, w, box in boxes()],
        "pairs": [pair_case() for _ in range(60)],
        "box_pairs": [box_iou_case() for _ in range(30)],
        "runs": [run_case() for _ in range(20)],
    }
    lines = [f'"{name}": [\n' + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]" for name, cases in groups.items()]
    OUT.write_text("{" + ",\n".join(lines) + "}\n")


main()
