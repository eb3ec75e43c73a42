# SPDX-License-Identifier: Apache-2.0
"""What timm's RandAugment operations make of two small pictures -> tests/vision/data/rand_augment/

    .deps/peers/bin/python scripts/baselines/rand_augment.py

cases.json lists [operation, level, is negated]; dull.png is one of the pictures, augment/picture.png the other, NAME_out.png the results one
below the other.
"""
import json
import random
from pathlib import Path

import numpy as np
from PIL import Image
from timm.data import auto_augment

DATA = Path(__file__).resolve().parents[2] / "tests/vision/data"
OUT = DATA / "rand_augment"
SETTINGS = {"img_mean": (124, 116, 104), "interpolation": Image.BICUBIC, "magnitude_std": 0}  # MAE's
SIGNED = {"Rotate", "ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel"}


def pictures():
    dull = np.full((9, 14, 3), 90, np.uint8)  # one value in a channel, two in another, some in the last
    dull[2:4, :, 1] = 200
    dull[:, :, 2] = np.arange(14) + 100
    return {"picture": Image.open(DATA / "augment/picture.png").convert("RGB"), "dull": Image.fromarray(dull)}


def main():
    OUT.mkdir(exist_ok=True)
    cases = []  # PIL 13 refuses to keep no bit at all, which level 10 of Posterize asks for
    for name in auto_augment._RAND_INCREASING_TRANSFORMS:
        levels = [2.3, 9.0, 9.9 if name.startswith("Posterize") else 10.0] if auto_augment.LEVEL_TO_ARG[name] else [9.0]
        cases += [(name, level, negated) for level in levels for negated in ([False, True] if name in SIGNED else [False])]
    pictures()["dull"].save(OUT / "dull.png")
    for title, picture in pictures().items():
        results = []
        for name, level, negated in cases:
            random.random = lambda negated=negated: 1.0 if negated else 0.0
            operation = auto_augment.AugmentOp(name, prob=1.0, magnitude=level, hparams=SETTINGS)
            results.append(np.asarray(operation(picture)))
        Image.fromarray(np.concatenate(results)).save(OUT / f"{title}_out.png")
    (OUT / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
