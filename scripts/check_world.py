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


def check_split(scenes, split, count, layout):
    captions = load(scenes / "annotations" / f"captions_{split}.json")
    instances = load(scenes / "annotations" / f"instances_{split}.json")
    names = {category["id"]: category["name"] for category in instances.dataset["categories"]}
    assert captions.getImgIds() == instances.getImgIds() == list(range(count)), split
    assert len(list((scenes / split).iterdir())) == count, split
    for image in captions.loadImgs(captions.getImgIds()):
        picture = Image.open(scenes / split / image["file_name"])
        assert picture.mode == "RGB" and picture.size == (image["width"], image["height"]), image
        objects = instances.imgToAnns[image["id"]]
        masks = {o["id"]: mask for o, mask in zip(objects, check_masks(instances, objects, COUNTS[layout]))}
        annotations = captions.imgToAnns[image["id"]]
        assert len(annotations) == CAPTIONS[layout], image
        for annotation in annotations:
            things = check_phrases(annotation)
            named = [id for thing in things for id in thing["object_ids"]]
            assert sorted(named) == sorted(masks) or annotation is not annotations[0], annotation  # the first names all
            assert set(named) <= set(masks), annotation
            for thing in things:
                classes = {names[o["category_id"]] for o in objects if o["id"] in thing["object_ids"]}
                assert classes == {singular(thing["text"], names.values())}, annotation
            check_words(annotation["caption"], things, masks, sizes_of(layout, split))


def check_phrases(annotation):
    for phrase in annotation["phrases"]:
        begin, end = phrase["span"]
        assert annotation["caption"][begin:end] == phrase["text"], annotation
        assert (phrase["role"] == "thing") == bool(phrase["object_ids"]), annotation
    return [phrase for phrase in annotation["phrases"] if phrase["role"] == "thing"]


def check_masks(instances, objects, counts):
    masks = [instances.annToMask(o) for o in objects]
    assert counts[0] <= len(masks) <= counts[1] and np.sum(masks, 0).max() == 1, "masks overlap"
    for o, mask in zip(objects, masks):
        assert mask.sum() == o["area"] == coco_mask.area(o["segmentation"]) > 0, o
        assert coco_mask.toBbox(o["segmentation"]).tolist() == o["bbox"], o
    return masks


def singular(text, names):
    [name] = [n for n in names if text in (n, n + "s", n + "es", n[:-1] + "ies")]
    return name


# The longest side of a mask's box over the picture's, at most where the caption says small, at least where it says big.
# Turning by 15 degrees makes a square's box up to 1.22 times as large; a thin end (a string) covers less than half of its pixels
# and is not in the mask; perspective in `look` and `shifted` changes more.
SMALL_AND_BIG = {"plain": (0.42, 0.54), "crowded": (0.17, 0.25)}
COUNTS, CAPTIONS = {"plain": (1, 3), "crowded": (1, 6)}, {"plain": 1, "crowded": 5}


def sizes_of(layout, split):
    small, big = SMALL_AND_BIG[layout]
    return (small * 1.7, big * 0.6) if split in ("look", "shifted") else (small * 1.25, big * 0.75)


RELATIONS = {
    " to the left of ": lambda a, b: a[1] < b[1],
    " to the right of ": lambda a, b: a[1] > b[1],
    " above ": lambda a, b: a[0] < b[0],
    " below ": lambda a, b: a[0] > b[0],
}


def check_words(caption, things, masks, sizes):
    """Counts, sizes and relations that the caption states, against the masks."""
    for thing in things:
        before = caption[: thing["span"][0]].split()
        pixels = [np.argwhere(masks[id]) for id in thing["object_ids"]]
        longest = [np.ptp(p, axis=0).max() + 1 for p in pixels]
        side = masks[thing["object_ids"][0]].shape[0]
        assert before[-1] != "small" or max(longest) <= sizes[0] * side, caption
        assert before[-1] != "big" or min(longest) >= sizes[1] * side, caption
        count = next(word for word in reversed(before) if word not in ("small", "big"))
        assert {"a": 1, "an": 1, "two": 2, "three": 3}[count] == len(pixels), caption
    for words, holds in RELATIONS.items():
        if words in caption:
            first, second = (np.argwhere(masks[thing["object_ids"][0]]).mean(0) for thing in things)
            assert holds(first, second), caption


def check_objects(folder, classes, count):
    assert sorted(p.name for p in folder.iterdir()) == sorted(classes), folder
    numbers = {len(list((folder / name).glob("*.png"))) for name in classes}
    assert len(numbers) == 1 and 0 <= numbers.pop() * len(classes) - count < len(classes), folder


def main(root):
    manifest = json.loads((root / "manifest.json").read_text())
    for split in manifest.get("splits", ("train", "val", "test", "shifted")):
        count = manifest["count" if split == "train" else "eval_count"]
        check_split(root / "scenes", split, count, manifest.get("layout", "plain"))
        check_objects(root / "objects" / split, manifest["classes"], count)
    print(f"{root}: whole")


main(Path(sys.argv[1]))
