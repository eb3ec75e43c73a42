# SPDX-License-Identifier: Apache-2.0
"""A few kilobytes of each detection set's exact layout, with the odd cases that real ones hold:

    .deps/peers/bin/python scripts/detection_samples.py tests/data/detection

COCO:       coco/annotations/instances_{val,bad}2017.json, coco/{val,bad}2017/*.jpg, and coco/expected.json: what pycocotools makes of them
Pascal VOC: VOCdevkit/VOC2007 and VOC2012: Annotations/*.xml, ImageSets/Main/*.txt, JPEGImages/*.jpg"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO

WIDTH, HEIGHT = 40, 30


def picture(width=WIDTH, height=HEIGHT):
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([columns * 255 // width, rows * 255 // height, (rows + columns) * 3], -1).astype(np.uint8))


def turned_exif():
    exif = Image.Exif()
    exif[0x0112] = 6  # seen upright it is HEIGHT x WIDTH
    return exif


def coco_images():
    """name -> (picture, how it is saved, the size that the json says)"""
    said = (WIDTH, HEIGHT)
    deep = Image.fromarray((np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH) * 54).astype(np.uint16))
    return {"000000000009.jpg": (picture(), {}, said), "000000000025.jpg": (picture().convert("L"), {}, said),
            "000000000030.jpg": (picture().convert("CMYK"), {}, said), "000000000034.png": (deep, {}, said),
            "000000000071.jpg": (picture(), {"exif": turned_exif()}, (HEIGHT, WIDTH)), "000000000072.jpg": (picture(), {"exif": turned_exif()}, said),
            "000000000901.jpg": (picture(), {}, said)}  # the last has no annotation


def whole_mask_runs(box):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    x, y, width, height = box
    mask[y:y + height, x:x + width] = 1
    counts, value = [0], 0
    for pixel in mask.ravel(order="F"):
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def coco_annotations():
    def one(id, image, category, box, segmentation, **more):
        return {"segmentation": segmentation, "area": float(box[2] * box[3]), "iscrowd": 0, "image_id": image, "bbox": box, "category_id": category, "id": id} | more

    compressed = masks.encode(np.asfortranarray(np.eye(HEIGHT, WIDTH, dtype=np.uint8)))
    return [one(101, 9, 18, [3.5, 4.25, 10.0, 8.5], [[3.5, 4.25, 13.5, 4.25, 13.5, 12.75, 3.5, 12.75]]),
            one(55, 9, 1, [1, 1, 30, 25], [[1, 1, 9, 1, 9, 9], [20.5, 15, 31, 15, 31, 26, 20.5, 26.2]]),  # in two parts
            one(900100000009, 9, 1, [20, 2, 12, 6], whole_mask_runs([20, 2, 12, 6]), iscrowd=1),
            one(7, 25, 90, [0, 0, 2, 2], [[0, 0, 2, 0, 2, 2], [1, 2, 5, 4]]),  # its second part is a line
            one(8, 25, 90, [1, 2, 4, 4], [[1, 2, 5, 4]]),                      # it has no other part
            one(9, 25, 90, [5, 5, 0, 0], []),                                  # without area
            one(10, 25, 90, [6, 6, 3, 2], []),                                 # a box alone
            one(11, 25, 90, [35, 25, 10, 10], [[35, 25, 45, 25, 45, 35, 35, 35]]),  # reaches out of the picture
            one(12, 25, 90, [50, 5, 4, 4], [[50, 5, 54, 5, 54, 9]]),           # lies outside of it
            one(13, 30, 1, [0, 0, 30, 30], {"size": [HEIGHT, WIDTH], "counts": compressed["counts"].decode()}),
            one(14, 34, 1, [2, 2, 4, 4], [[2, 2, 6, 2, 6, 6, 2, 6]]),
            one(15, 71, 1, [2, 30, 4, 8], [[2, 30, 6, 30, 6, 38, 2, 38]]),
            one(16, 72, 1, [30, 2, 8, 4], [[30, 2, 38, 2, 38, 6, 30, 6]])]


def write_coco(folder):
    (folder / "annotations").mkdir(parents=True)
    categories = [{"supercategory": "thing", "id": id, "name": name} for id, name in ((1, "person"), (18, "dog"), (90, "toothbrush"))]

    def write(split, images, annotations):
        (folder / split).mkdir()
        listed = []
        for name, (image, options, (width, height)) in images.items():
            image.save(folder / split / name, **options)
            listed.append({"license": 4, "file_name": name, "height": height, "width": width, "id": int(Path(name).stem)})
        text = json.dumps({"info": {"description": "a sample of COCO's layout"}, "licenses": [], "images": listed, "annotations": annotations,
                           "categories": categories})
        (folder / f"annotations/instances_{split}.json").write_text(text)

    images = coco_images()
    write("val2017", images, coco_annotations())
    write("bad2017", dict(list(images.items())[:2]) | {"000000000999.jpg": (picture(), {}, (WIDTH, HEIGHT))}, [])
    cut, gone = folder / "bad2017/000000000025.jpg", folder / "bad2017/000000000999.jpg"
    cut.write_bytes(cut.read_bytes()[:200])
    gone.unlink()

    coco = COCO(str(folder / "annotations/instances_val2017.json"))
    expected = {}
    for annotation in coco.anns.values():
        segmentation = annotation["segmentation"]
        if isinstance(segmentation, list):
            segmentation = annotation["segmentation"] = [part for part in segmentation if len(part) >= 6]
        if segmentation:
            expected[annotation["id"]] = masks.encode(np.asfortranarray(coco.annToMask(annotation)))["counts"].decode()
    (folder / "expected.json").write_text(json.dumps(expected))


OBJECT = "\t<object>\n\t\t<name>{name}</name>\n{tags}\t\t<bndbox>\n{corners}\t\t</bndbox>\n{part}\t</object>\n"


def voc_object(name, box, difficult=None, part=None):
    def corners(box, tabs):
        return "".join(f"{tabs}<{tag}>{value}</{tag}>\n" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box))

    tags = "\t\t<pose>Left</pose>\n\t\t<truncated>1</truncated>\n" + ("" if difficult is None else f"\t\t<difficult>{difficult}</difficult>\n")
    part = "" if part is None else f"\t\t<part>\n\t\t\t<name>{part[0]}</name>\n\t\t\t<bndbox>\n{corners(part[1], chr(9) * 4)}\t\t\t</bndbox>\n\t\t</part>\n"
    return OBJECT.format(name=name, tags=tags, corners=corners(box, "\t\t\t"), part=part)


def write_voc(folder, year, pictures, splits):
    folder /= f"VOC{year}"
    for name in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (folder / name).mkdir(parents=True)
    for name, objects in pictures.items():
        picture().save(folder / f"JPEGImages/{name}.jpg")
        size = f"\t<size>\n\t\t<width>{WIDTH}</width>\n\t\t<height>{HEIGHT}</height>\n\t\t<depth>3</depth>\n\t</size>\n"
        text = f"<annotation>\n\t<folder>VOC{year}</folder>\n\t<filename>{name}.jpg</filename>\n{size}\t<segmented>0</segmented>\n{''.join(objects)}</annotation>\n"
        (folder / f"Annotations/{name}.xml").write_text(text)
    for name, lines in splits.items():
        (folder / f"ImageSets/Main/{name}.txt").write_text("".join(line + "\n" for line in lines))


def main():
    folder = Path(sys.argv[1])
    write_coco(folder / "coco")
    devkit = folder / "VOCdevkit"
    write_voc(devkit, 2007,
              {"000005": [voc_object("chair", (1, 1, WIDTH, HEIGHT), 0), voc_object("chair", (5, 6, 10, 12), 1)],
               "000007": [voc_object("car", (3, 4, 20, 21))],  # no tag `difficult`
               "000009": [],
               "000012": [voc_object("person", (2, 2, 30, 28), 0, part=("head", (4, 4, 9, 9)))]},
              {"train": ["000005"], "val": ["000007"], "trainval": ["000005", "000007"], "test": ["000009", "000012"],
               "car_train": ["000005 -1"]})
    write_voc(devkit, 2012,
              {"2008_000008": [voc_object("horse", (0, 3, 12, 45), 0)],  # out of the picture on two sides
               "2008_000015": [voc_object("bottle", (5.5, 6.25, 9.5, 20), 0)]},
              {"train": ["2008_000008"], "val": ["2008_000015"], "trainval": ["2008_000008", "2008_000015"]})


if __name__ == "__main__":
    main()
