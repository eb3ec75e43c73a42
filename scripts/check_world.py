# SPDX-License-Identifier: Apache-2.0
"""Reads a folder that `freeatm world` wrote as strangers would, with pycocotools and PIL; fails on the first thing that is not so.

    .deps/judges/bin/python scripts/check_world.py data/emoji
"""
import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO


def load(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def check_split(scenes, split, count):
    captions = load(scenes / "annotations" / f"captions_{split}.json")
    instances = load(scenes / "annotations" / f"instances_{split}.json")
    names = {category["id"]: category["name"] for category in instances.dataset["categories"]}
    assert captions.getImgIds() == instances.getImgIds() == list(range(count)), split
    assert len(list((scenes / split).iterdir())) == count, split
    for image in captions.loadImgs(captions.getImgIds()):
        picture = Image.open(scenes / split / image["file_name"])
        assert picture.mode == "RGB" and picture.size == (image["width"], image["height"]), image
        [annotation] = captions.imgToAnns[image["id"]]
        things = check_phrases(annotation)
        objects = instances.imgToAnns[image["id"]]
        assert [o["id"] for o in objects] == [t["object_id"] for t in things], annotation
        assert [names[o["category_id"]] for o in objects] == [t["text"] for t in things], annotation
        check_masks(instances, objects)


def check_phrases(annotation):
    for phrase in annotation["phrases"]:
        begin, end = phrase["span"]
        assert annotation["caption"][begin:end] == phrase["text"], annotation
        assert (phrase["role"] == "thing") == (phrase["object_id"] is not None), annotation
    return [phrase for phrase in annotation["phrases"] if phrase["role"] == "thing"]


def check_masks(instances, objects):
    masks = [instances.annToMask(o) for o in objects]
    assert 1 <= len(masks) <= 3 and np.sum(masks, 0).max() == 1, "masks overlap"
    for o, mask in zip(objects, masks):
        assert mask.sum() == o["area"] == coco_mask.area(o["segmentation"]) > 0, o
        assert coco_mask.toBbox(o["segmentation"]).tolist() == o["bbox"], o


def check_objects(folder, classes, count):
    assert sorted(p.name for p in folder.iterdir()) == sorted(classes), folder
    numbers = {len(list((folder / name).glob("*.png"))) for name in classes}
    assert len(numbers) == 1 and 0 <= numbers.pop() * len(classes) - count < len(classes), folder


def main(root):
    manifest = json.loads((root / "manifest.json").read_text())
    for split in ("train", "val", "test"):
        count = manifest["count" if split == "train" else "eval_count"]
        check_split(root / "scenes", split, count)
        check_objects(root / "objects" / split, manifest["classes"], count)
    print(f"{root}: whole")


main(Path(sys.argv[1]))
