# SPDX-License-Identifier: Apache-2.0
"""Opening COCO's instances: freeatm (bench/coco_read.cpp), with and without its
index, beside pycocotools' `COCO(file)`, of a made-up file of --pictures pictures with 7.5 objects each: 20,000 are about 100 MB, 90,000 about
COCO's train2017. Each reading is a process of its own; the peaks of their memory are printed at the end."""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("--pictures", type=int, default=20_000, help="of the made-up COCO file")


def write_instances(path, pictures):
    """As COCO writes them: the lists in its order, without blanks, coordinates with two decimals."""
    draw = random.Random(0)
    with open(path, "w") as file:
        images = [{"license": 3, "file_name": f"{id:012d}.jpg", "coco_url": f"http://images/{id:012d}.jpg", "height": 480, "width": 640,
                   "date_captured": "2013-11-14 11:18:45", "flickr_url": f"http://static/{id}.jpg", "id": id} for id in range(1, pictures + 1)]
        file.write('{"info":{"year":2017},"licenses":[],"images":' + json.dumps(images) + ',"annotations":[')
        for id in range(1, pictures * 15 // 2 + 1):
            points = [round(draw.uniform(0, 480), 2) for _ in range(2 * draw.randrange(10, 70))]
            left, top, right, bottom = min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])
            box = [left, top, round(right - left, 2), round(bottom - top, 2)]
            annotation = {"segmentation": [points], "area": round(box[2] * box[3] / 2, 4), "iscrowd": 0, "image_id": draw.randrange(pictures) + 1,
                          "bbox": box, "category_id": draw.randrange(80) + 1, "id": id}
            file.write(("," if id > 1 else "") + json.dumps(annotation, separators=(",", ":")))
        categories = [{"supercategory": "thing", "id": id, "name": f"class {id}"} for id in range(1, 81)]
        file.write('],"categories":' + json.dumps(categories) + "}")


def run(options, compare):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        file, index = root / "annotations/instances_made.json", root / "annotations/instances_made.json.index"
        (root / "annotations").mkdir()
        (root / "made").mkdir()
        write_instances(file, options.pictures)
        an_hour_ago = time.time() - 3600  # what is new has no index
        os.utime(file, (an_hour_ago, an_hour_ago))
        print(f"{file.stat().st_size / 1e6:.0f} MB, {options.pictures} pictures")
        peaks = {}

        def reading(name, command, with_index):
            def seconds():
                if not with_index:
                    index.unlink(missing_ok=True)
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-3:]
                if int(out[2]) != options.pictures:
                    sys.exit(f"{name} reads {out[2]} pictures")
                peaks[name] = max(peaks.get(name, 0), float(out[1]))
                return float(out[0])
            return seconds

        ours = [options.freeatm.parent / "bench/freeatm_coco_read", root, "made"]
        theirs = [sys.executable, __file__, file]
        contestants = {"freeatm": (ours, False), "freeatm, second opening": (ours, True), "pycocotools": (theirs, True)}
        compare("opening COCO's instances", "s", {name: reading(name, *how) for name, how in contestants.items()}, options.rounds)
        print("\nPeak memory: " + ", ".join(f"{name} {peak:.0f} MB" for name, peak in peaks.items()))


if __name__ == "__main__":  # a process of its own, as ours is
    from pycocotools.coco import COCO

    begin = time.perf_counter()
    coco = COCO(sys.argv[1])
    seconds = time.perf_counter() - begin
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(seconds, int(peak[1]) * 1024 / 1e6, len(coco.imgs))
