# SPDX-License-Identifier: Apache-2.0
"""Scoring COCO's files: `freeatm evaluate task=coco` beside pycocotools and faster-coco-eval, whole processes from two files to the twelve numbers;
boxes and masks of 5,000 pictures with 100 detections each; peak memory."""
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PICTURES, OBJECTS, DETECTIONS, CLASSES, HEIGHT, WIDTH = 5000, 7, 100, 80, 480, 640
PEERS = {"pycocotools": ("pycocotools.coco", "COCO", "pycocotools.cocoeval", "COCOeval"),
         "faster-coco-eval": ("faster_coco_eval", "COCO", "faster_coco_eval", "COCOeval_faster")}


def any_boxes(random, count):
    sides = np.exp(random.uniform(np.log(8), np.log(400), (count, 2)))
    corners = random.random((count, 2)) * np.maximum(0, [WIDTH, HEIGHT] - sides)
    return np.round(np.c_[corners, np.minimum(sides, [WIDTH, HEIGHT] - corners)], 2)


def mask(box):
    """The ellipse in the box as COCO's compressed run lengths."""
    from pycocotools import mask as masks
    x, y, w, h = box
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    corners = np.stack([x + w / 2 + w / 2 * np.cos(angles), y + h / 2 + h / 2 * np.sin(angles)], 1)
    rle = masks.frPyObjects([corners.ravel().tolist()], HEIGHT, WIDTH)[0]
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def write_files(folder, kind, pictures):
    """As a detector's: most detections lie near an object and are of its class, the rest anywhere with low scores."""
    random = np.random.default_rng(0)
    images, annotations, results = [], [], []
    for image in range(1, pictures + 1):
        images.append({"id": image, "height": HEIGHT, "width": WIDTH, "file_name": f"{image:012}.jpg"})
        boxes, classes = any_boxes(random, OBJECTS), random.integers(1, CLASSES + 1, OBJECTS)
        for box, category in zip(boxes.tolist(), classes.tolist()):
            annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": 0})
            if kind == "segm":
                annotations[-1]["segmentation"] = mask(box)
        near = random.integers(0, OBJECTS, DETECTIONS)
        found = np.where(random.random((DETECTIONS, 1)) < 0.6, np.abs(boxes[near] + random.normal(0, 6, (DETECTIONS, 4))), any_boxes(random, DETECTIONS))
        categories = np.where(random.random(DETECTIONS) < 0.5, classes[near], random.integers(1, CLASSES + 1, DETECTIONS))
        for box, category, score in zip(np.round(found, 2).tolist(), categories.tolist(), np.round(random.random(DETECTIONS) ** 3, 5).tolist()):
            results.append({"image_id": image, "category_id": category, **({"bbox": box} if kind == "bbox" else {"segmentation": mask(box)}), "score": score})
    categories = [{"id": i, "name": f"class {i}"} for i in range(1, CLASSES + 1)]
    (folder / "truth.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    (folder / "results.json").write_text(json.dumps(results))


def is_installed(name):
    return subprocess.run([sys.executable, "-c", f"import {PEERS[name][0]}"], capture_output=True).returncode == 0


class Contestant:
    def __init__(self, command, folder):
        self.command, self.folder, self.peak = command, folder, 0

    def seconds(self):
        from peers.train import peak_memory
        start = time.perf_counter()
        with open(self.folder / "said", "w") as said, subprocess.Popen(self.command, stdout=said, stderr=said) as process:
            while process.poll() is None:
                try:
                    self.peak = max(self.peak, peak_memory(process.pid))
                except FileNotFoundError:
                    break
                time.sleep(0.01)
        if process.wait() != 0:
            sys.exit((self.folder / "said").read_text())
        return time.perf_counter() - start


def run(options, compare):
    for kind, pictures in (("bbox", PICTURES), ("segm", PICTURES // 5)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_files(folder, kind, pictures)
            files = [str(folder / "truth.json"), str(folder / "results.json")]
            ours = [str(options.freeatm), "evaluate", "task=coco", f"annotations={files[0]}", f"results={files[1]}", f"out={folder}/out", "resume=force"]
            contestants = {"freeatm": Contestant(ours, folder)}
            for peer in PEERS:
                if is_installed(peer):
                    contestants[peer] = Contestant([sys.executable, __file__, peer, kind, *files], folder)
                else:
                    print(f"{peer} is not installed and left out: scripts/setup_peers.sh")
            compare(f"Scoring {pictures} pictures with {DETECTIONS} detections each, {kind}", "s", {name: one.seconds for name, one in contestants.items()}, options.rounds)
            print("peak memory, MiB: " + ", ".join(f"{name} {one.peak:.0f}" for name, one in contestants.items()), flush=True)


if __name__ == "__main__":  # the process that is measured: python scripts/peers/coco_eval.py PEER bbox|segm TRUTH RESULTS
    import importlib
    truth_module, truth_class, run_module, run_class = PEERS[sys.argv[1]]
    truth = getattr(importlib.import_module(truth_module), truth_class)(sys.argv[3])
    scores = getattr(importlib.import_module(run_module), run_class)(truth, truth.loadRes(sys.argv[4]), sys.argv[2])
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
