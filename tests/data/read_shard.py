# SPDX-License-Identifier: Apache-2.0
"""Reads a shard of shards_test.cpp as users do, with webdataset, numpy and pycocotools: python read_shard.py SHARD"""
import io
import json
import sys

import numpy as np
import webdataset
from PIL import Image
from pycocotools import mask

samples = list(webdataset.WebDataset(sys.argv[1], shardshuffle=False))
assert [s["__key__"] for s in samples] == ["000000000", "000000001", "000000002"], [s["__key__"] for s in samples]
for i, sample in enumerate(samples):
    picture = np.asarray(Image.open(io.BytesIO(sample["png"])))
    assert picture.shape == (4, 6, 3) and (picture.ravel() == np.arange(72) * 3 % 256).all()
    told = json.loads(sample["json"])
    assert told["seed"] == i and told["tokens"] == [{"text": "a</w>", "span": [0, 1]}]
    dog = told["phrases"][0]
    decoded = mask.decode(dog["segmentation"])
    assert decoded.shape == (4, 6) and list(np.flatnonzero(decoded)) == [8, 9]
    assert mask.area(dog["segmentation"]) == dog["area"] and list(mask.toBbox(dog["segmentation"])) == dog["bbox"]
    assert told["caption"][slice(*dog["span"])] == dog["text"]
    maps = np.load(io.BytesIO(sample["maps.npy"]))
    assert maps.dtype == np.float16 and (maps == np.arange(12).reshape(2, 2, 3)).all()
