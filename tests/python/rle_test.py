# SPDX-License-Identifier: Apache-2.0
"""freeatm._rle against pycocotools."""
import json
import unittest

import numpy as np
from freeatm import _rle
from program import ROOT
from pycocotools import mask as coco


class Rle(unittest.TestCase):
    def test_masks_of_every_kind_are_pycocotools(self):
        random = np.random.default_rng(0)
        for _ in range(500):
            height, width = random.integers(1, 90, 2).tolist()
            mask = random.random((height, width)) < random.choice([0, 0.02, 0.5, 0.98, 1])
            if random.random() < 0.3:  # long runs: numbers of several groups
                mask = np.repeat(np.repeat(mask, 20, 0), 20, 1)
            counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
            decoded = _rle.decode(counts, *mask.shape)
            self.assertEqual(decoded.dtype, bool)
            np.testing.assert_array_equal(decoded, mask)

    def test_stored_values(self):  # scripts/baselines/rle.py
        for case in json.loads((ROOT / "tests/vision/data/rle.json").read_text())["masks"]:
            rows = np.array([[c == "1" for c in row] for row in case["rows"]])
            np.testing.assert_array_equal(_rle.decode(case["counts"], *rows.shape), rows)

    def test_broken_ones_are_refused(self):
        for counts, message in {"": "do not fill 3x2 pixels", "5": "do not fill", "7": "do not fill", "8N": "do not fill",
                                "P": "without an end", "\x7f": "no place", "é": "no place", "oooooooo0": "without an end",
                                "ooooooO": "do not fill"}.items():
            with self.subTest(counts), self.assertRaisesRegex(ValueError, message):
                _rle.decode(counts, 2, 3)
        self.assertEqual(_rle.decode("6", 2, 3).sum(), 0)


if __name__ == "__main__":
    unittest.main()
