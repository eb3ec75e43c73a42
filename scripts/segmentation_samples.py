# SPDX-License-Identifier: Apache-2.0
"""A few kilobytes of each segmentation set's exact layout, with the odd cases that real ones hold, and what its maps of classes are:

    .deps/peers/bin/python scripts/segmentation_samples.py tests/data/segmentation

VOCdevkit/VOC2012          ImageSets/{Main,Segmentation}/*.txt, JPEGImages, SegmentationClass, SegmentationClassAug
ADEChallengeData2016       {images,annotations}/{training,validation}, objectInfo150.txt
cityscapes                 leftImg8bit and gtFine
coco_stuff                 {images,annotations}/val2017, labels.txt
folders                    images/val, masks/val, classes.txt
expected.json              set -> picture -> rows of places among the classes, made by NumPy; "coco": of detection/coco's objects, by pycocotools"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO

WIDTH, HEIGHT = 8, 6
IGNORED = 255
expected = {}


def picture(width=WIDTH, height=HEIGHT):
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([columns * 30, rows * 40, (rows + columns) * 18], -1).astype(np.uint8))


def turned_exif():
    exif = Image.Exif()
    exif[0x0112] = 6  # seen upright it is HEIGHT x WIDTH
    return exif


def numbers(values, width=WIDTH, height=HEIGHT):
    """A map that holds these values in turns."""
    return np.resize(np.array(values), (height, width))


def voc_colors():
    colors = np.zeros((256, 3), np.uint8)
    for index in range(256):
        bits = [index >> bit & 1 for bit in range(8)]
        for channel in range(3):
            colors[index, channel] = sum(bit << 7 - place for place, bit in enumerate(bits[channel::3]))
    return colors


def save_map(path, values, kind):
    """kind: P, L, I;16 or RGB, in VOC's colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(voc_colors()[values]) if kind == "RGB" else Image.fromarray(values.astype(np.uint16 if kind == "I;16" else np.uint8))
    if kind == "P":
        image.putpalette(voc_colors().tobytes())
    image.save(path)
    if kind != "RGB":
        assert (np.array(Image.open(path)) == values).all(), path


def save_picture(path, image=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or picture()).save(path, **options)


def expect(name, key, values, places):
    """places: number -> place among the classes; what is not in it is ignored."""
    expected.setdefault(name, {})[key] = np.vectorize(lambda value: places.get(int(value), IGNORED))(values).tolist()


def write_lists(folder, lists):
    folder.mkdir(parents=True)
    for name, lines in lists.items():
        (folder / f"{name}.txt").write_text("".join(line + "\n" for line in lines))


def write_voc(folder):
    places = {index: index for index in range(21)}
    maps = {"2007_000032": ("P", numbers([0, 1, 255, 15])), "2007_000033": ("RGB", numbers([255, 20, 0])), "2008_000002": ("P", numbers([0, 7], HEIGHT, WIDTH)),
            "2008_000003": ("P", numbers([9, 0, 0])), "2009_000009": ("L", numbers([0, 12, 255]))}
    for name, (kind, values) in maps.items():
        save_picture(folder / f"JPEGImages/{name}.jpg", **({"exif": turned_exif()} if name in ("2008_000002", "2008_000003") else {}))
        save_map(folder / ("SegmentationClassAug" if kind == "L" else "SegmentationClass") / f"{name}.png", values, kind)
        expect("voc", name, values, places)
    known = list(maps)
    write_lists(folder / "ImageSets/Segmentation",
                {"train": known[:2], "val": known[2:4], "trainval": known[:4], "aug": known[4:], "test": ["2012_000001"],
                 "train_aug": [f"/JPEGImages/{name}.jpg /SegmentationClass{'Aug' if name == known[4] else ''}/{name}.png" for name in (known[4], known[0])]})
    write_lists(folder / "ImageSets/Main", {"train": known[:1]})
    (folder / "Annotations").mkdir()
    (folder / f"Annotations/{known[0]}.xml").write_text(
        f"<annotation><filename>{known[0]}.jpg</filename><size><width>{WIDTH}</width><height>{HEIGHT}</height></size><object><name>person</name>"
        "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>5</ymax></bndbox></object></annotation>\n")


def write_ade(folder):
    places = {number: number - 1 for number in range(1, 151)}
    maps = {"training/ADE_train_00000001": ("L", numbers([0, 1, 150, 255])), "training/ADE_train_00000002": ("I;16", numbers([3, 0, 149])),
            "validation/ADE_val_00000001": ("L", numbers([2, 2, 13]))}
    for name, (kind, values) in maps.items():
        save_picture(folder / f"images/{name}.jpg")
        save_map(folder / f"annotations/{name}.png", values, kind)
        split, key = name.split("/")
        expect("ade20k_" + split, key, values, places)
    save_picture(folder / "images/training/ADE_train_00000003.jpg")  # without a map
    names = ["wall", "building, edifice", "bed "] + [f"thing {number}, other thing" for number in range(4, 151)]
    lines = [f"{number} \t0.0100\t11664\t1172\t{name}\n" for number, name in enumerate(names, 1)]
    (folder / "objectInfo150.txt").write_text("Idx\tRatio\tTrain\tVal\tName\n" + "".join(lines))


def write_cityscapes(folder):
    judged = [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]
    places = {number: place for place, number in enumerate(judged)}
    maps = {"train/aachen/aachen_000000_000019": numbers([7, 11, 17, 23, 26, 29, 30, 31, 33, 0]), "val/frankfurt/frankfurt_000000_000294": numbers(range(34)),
            "val/munster/munster_000000_000019": numbers([34, 7, 255, 254])}
    for name, values in maps.items():
        save_picture(folder / f"leftImg8bit/{name}_leftImg8bit.png")
        save_map(folder / f"gtFine/{name}_gtFine_labelIds.png", values, "L")
        save_map(folder / f"gtFine/{name}_gtFine_color.png", values, "RGB")
        (folder / f"gtFine/{name}_gtFine_polygons.json").write_text("{}")
        split, key = name.split("/", 1)
        expect("cityscapes_" + split, key, values, places)


def write_folders(folder):
    stuff = folder / "coco_stuff"
    names = ["unlabeled", "person", "bicycle", "car", "motorcycle", "airplane"]
    for key, values in (("000000000139", numbers([0, 4, 255, 2])), ("000000000285", numbers([1, 3]))):
        save_picture(stuff / f"images/val2017/{key}.jpg")
        save_map(stuff / f"annotations/val2017/{key}.png", values, "L")
        expect("coco_stuff", key, values, {number: number for number in range(5)})
    (stuff / "labels.txt").write_text("".join(f"{number}: {name}\n" for number, name in enumerate(names)))
    plain = folder / "folders"
    for key, values in (("one", numbers([0, 1, 2])), ("below/two", numbers([2, 255]))):
        save_picture(plain / f"images/val/{key}.png")
        save_map(plain / f"masks/val/{key}.png", values, "P")
        expect("folders", key, values, {number: number for number in range(3)})
    (plain / "classes.txt").write_text("background\nleaf\nstem\n\n")


def expect_coco(file):
    """0: background; objects of two classes, and boxes without a mask: ignored."""
    coco = COCO(str(file))
    places = {category: place for place, category in enumerate(sorted(coco.cats), 1)}
    for image in coco.imgs.values():
        classes = {place: np.zeros((image["height"], image["width"]), bool) for place in places.values()}
        boxes = np.zeros((image["height"], image["width"]), bool)
        for annotation in coco.imgToAnns[image["id"]]:
            segmentation = annotation["segmentation"]
            if isinstance(segmentation, list):
                parts = [part for part in segmentation if len(part) >= 6]
                if not segmentation:
                    x, y, width, height = annotation["bbox"]
                    boxes[y:y + height, x:x + width] = True
                if not parts:
                    continue
                annotation["segmentation"] = parts
            classes[places[annotation["category_id"]]] |= masks.decode(coco.annToRLE(annotation)).astype(bool)
        covered = sum(mask.astype(int) for mask in classes.values())
        values = sum(place * mask for place, mask in classes.items())
        expected.setdefault("coco", {})[Path(image["file_name"]).stem] = np.where(covered > 1, IGNORED, np.where((covered == 0) & boxes, IGNORED, values)).tolist()


def main():
    folder = Path(sys.argv[1])
    write_voc(folder / "VOCdevkit/VOC2012")
    write_ade(folder / "ADEChallengeData2016")
    write_cityscapes(folder / "cityscapes")
    write_folders(folder)
    expect_coco(folder.parent / "detection/coco/annotations/instances_val2017.json")
    lines = [f'"{name}": {json.dumps(maps, separators=(",", ":"))}' for name, maps in expected.items()]
    (folder / "expected.json").write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
