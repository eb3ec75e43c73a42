# SPDX-License-Identifier: Apache-2.0
"""Masks with pycocotools' compressed run lengths, areas and boxes -> tests/vision/data/rle.json

    .deps/judges/bin/python scripts/baselines/rle.py
"""
import json
from pathlib import Path

import numpy as np
from pycocotools import mask as coco

OUT = Path(__file__).resolve().parents[2] / "tests/vision/data/rle.json"


def masks():
    random = np.random.default_rng(0)
    yield np.zeros((3, 4), bool)
    yield np.ones((3, 4), bool)
    yield np.eye(5, 7, dtype=bool)
    yield np.arange(20).reshape(4, 5) % 2 == 0  # many runs of one pixel
    for height, width, share in [(1, 9, 0.5), (9, 1, 0.5), (17, 23, 0.1), (23, 17, 0.5), (16, 16, 0.95)]:
        yield random.random((height, width)) < share
    yield np.hypot(*(np.mgrid[0:64, 0:64] - 30.5)) < 20  # a disc
    wide = np.zeros((40, 60), bool)
    wide[10:15, 1:59] = wide[38:, 30:] = True
    yield wide
    long_runs = np.zeros((60, 60), bool)  # runs of more than 1023 pixels: three groups of five bits
    long_runs[:, 20:40] = True
    yield long_runs


def case(mask):
    rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {
        "rows": ["".join("01"[int(v)] for v in row) for row in mask],
        "counts": rle["counts"].decode(),
        "area": int(coco.area(rle)),
        "bbox": coco.toBbox(rle).tolist(),
    }


OUT.write_text(json.dumps([case(mask) for mask in masks()], indent=1) + "\n")
