# SPDX-License-Identifier: Apache-2.0
"""Reference values of detection's metrics, for tests/evaluation/{coco,voc}_metrics_test.cpp: python scripts/baselines/detection_metrics.py

COCO's from pycocotools, on small random pictures where boxes meet often, scores are equal often, and classes, pictures and size ranges are
empty now and then. Annotations are numbered from 1, because pycocotools takes an id of 0 for 'not found'; its summary is computed here from its
arrays, because it knows no last number of detections but 100. VOC's from the devkit's definition, in numpy."""
import contextlib
import io
import json
from pathlib import Path

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OUT = Path(__file__).resolve().parents[2] / "tests/evaluation/data"
HEIGHT, WIDTH = 48, 60


def polygon(random, box):
    """Eight corners on the ellipse in the box."""
    x, y, w, h = box
    angles = np.arange(8) * np.pi / 4 + random.uniform(0, 1)
    return np.round(np.stack([x + w / 2 + w / 2 * np.cos(angles), y + h / 2 + h / 2 * np.sin(angles)], 1).ravel(), 1).tolist()


def encoded(parts):
    rle = masks.merge(masks.frPyObjects(parts, HEIGHT, WIDTH))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def plain(rle):
    """Run lengths as a list, as COCO has crowds."""
    flat = masks.decode(rle).ravel(order="F")
    edges = np.flatnonzero(np.diff(np.r_[0, flat, 1 - flat[-1]]))
    return {"size": rle["size"], "counts": np.diff(np.r_[0, edges]).tolist()}


def any_box(random):
    w, h = random.integers(2, 30, 2)
    return [int(random.integers(0, WIDTH - w)), int(random.integers(0, HEIGHT - h)), int(w), int(h)]


def near(random, box):
    step = random.integers(-3, 4, 4) * (random.random(4) < 0.5)
    x, y, w, h = (np.array(box) + step).tolist()
    return [x, y, max(1, w), max(1, h)]


def coco_files(random, kind):
    images = [{"id": int(i), "height": HEIGHT, "width": WIDTH} for i in random.permutation(np.arange(1, 25) * 7)[:12]]
    categories = [{"id": i, "name": f"class {i}"} for i in (90, 3, 18, 44)]  # 44: none of its objects, 18: often none of its detections
    annotations, results = [], []
    for image in images:
        if random.random() < 0.1:
            continue
        for _ in range(random.integers(0, 7)):
            box, crowd = any_box(random), bool(random.random() < 0.2)
            parts = [polygon(random, box)]
            annotations.append({"id": 0, "image_id": image["id"], "category_id": int(random.choice([90, 3, 18])), "bbox": box, "iscrowd": int(crowd),
                                "area": float(masks.area(masks.merge(masks.frPyObjects(parts, HEIGHT, WIDTH)))),
                                "segmentation": plain(encoded(parts)) if crowd else parts})
    for image in images:
        if random.random() < 0.15:
            continue
        truth = [a for a in annotations if a["image_id"] == image["id"]]
        for _ in range(random.integers(0, 16)):
            close = truth[random.integers(len(truth))] if truth and random.random() < 0.7 else None
            box = near(random, close["bbox"]) if close else any_box(random)
            category = close["category_id"] if close and random.random() < 0.8 else int(random.choice([90, 3, 44]))
            result = {"image_id": image["id"], "category_id": category, "score": round(float(random.random()), int(random.choice([1, 6])))}
            if kind != "segm":
                result["bbox"] = box
            if kind != "bbox":
                result["segmentation"] = encoded([polygon(random, box)])
            results.append(result)
    random.shuffle(annotations)
    random.shuffle(results)
    for i, annotation in enumerate(annotations):
        annotation["id"] = i + 1
    return {"images": images, "categories": categories, "annotations": annotations}, results


def mean(values):
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0


def coco_values(truth, results, iou, max_detections, areas, thresholds):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = json.loads(json.dumps(truth))
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(json.loads(json.dumps(results))), iou)
        run.params.maxDets = max_detections
        low, high = areas
        run.params.areaRng = [[0, 1e10], [0, low], [low, high], [high, 1e10]]
        if thresholds:
            run.params.iouThrs = np.array(thresholds)
        run.evaluate()
        run.accumulate()
        if max_detections == [1, 10, 100] and not thresholds:
            run.summarize()
    precision, recall, scores = (run.eval[name] for name in ("precision", "recall", "scores"))
    at = {t: np.flatnonzero(run.params.iouThrs == t) for t in (0.5, 0.75)}
    stats = [mean(precision[..., 0, -1]), *(mean(precision[at[t], ..., 0, -1]) for t in (0.5, 0.75)), *(mean(precision[..., a, -1]) for a in (1, 2, 3)),
             *(mean(recall[..., 0, m]) for m in range(len(max_detections))), *(mean(recall[..., a, -1]) for a in (1, 2, 3))]
    if len(run.stats):
        assert np.abs(run.stats - stats).max() < 1e-12
    weights = np.arange(1, 102)[None, :, None]  # a sum that tells one curve from another
    return {"stats": stats, "by_class": [mean(precision[:, :, k, 0, -1]) for k in range(4)],
            "curves": (precision[..., 0, -1] * weights).sum(1).T.tolist(), "scores": (scores[..., 0, -1] * weights).sum(1).T.tolist()}


def coco_cases():
    options = [("bbox", "bbox", [1, 10, 100], [1024, 9216], []), ("bbox", "bbox", [1, 10, 100], [100, 400], []), ("segm", "segm", [1, 10, 100], [100, 300], []),
               ("both", "bbox", [1, 3, 300], [100, 300], []), ("both", "segm", [2, 5], [64, 256], []), ("segm", "bbox", [1, 2, 3], [100, 300], []),
               ("bbox", "bbox", [1, 10, 100], [100, 400], [0.3, 0.5, 1.0]), ("segm", "segm", [4], [50, 500], [0.75])]
    for seed in range(16):
        kind, iou, max_detections, areas, thresholds = options[seed % len(options)]
        truth, results = coco_files(np.random.default_rng(seed), kind)
        yield {"iou": iou, "max_detections": max_detections, "areas": areas, "iou_thresholds": thresholds, "annotations": truth, "results": results,
               **coco_values(truth, results, iou, max_detections, areas, thresholds)}


def overlap(box, boxes):
    """Inclusive corners: a side from 3 to 3 is 1 long."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]) + 1
    shared = sides.clip(0).prod(1)
    area = lambda b: (b[..., 2] - b[..., 0] + 1) * (b[..., 3] - b[..., 1] + 1)
    return shared / (area(box) + area(boxes) - shared)


def voc_average_precisions(objects, lines, threshold):
    """objects: picture -> [n, 5] corners and difficult; lines: [picture, score, corners] of one class, in the file's order."""
    found = {picture: np.zeros(len(of), bool) for picture, of in objects.items()}
    positives = sum(int((of[:, 4] == 0).sum()) for of in objects.values())
    right, wrong = [], []
    for line in sorted(lines, key=lambda line: -line[1]):
        of, verdict = objects.get(line[0], np.zeros((0, 5))), "wrong"
        if len(of):
            overlaps = overlap(np.array(line[2:], float), of[:, :4])
            best = int(overlaps.argmax())
            if overlaps[best] >= threshold:
                verdict = "neither" if of[best, 4] else "wrong" if found[line[0]][best] else "right"
                found[line[0]][best] = True
        right.append(verdict == "right")
        wrong.append(verdict == "wrong")
    if positives == 0:
        return [-1.0, -1.0]
    right, wrong = np.cumsum(right), np.cumsum(wrong)
    recall, precision = right / positives, right / np.maximum(right + wrong, 1)
    points = [max(precision[recall >= t], default=0.0) for t in np.arange(0, 1.1, 0.1)]
    steps = np.unique(np.r_[0, recall])
    return [float(np.mean(points)), float(sum((b - a) * precision[recall >= b].max() for a, b in zip(steps, steps[1:])))]


def voc_cases():
    for seed in range(8):
        random, classes, threshold = np.random.default_rng(100 + seed), ["bird", "cat", "cow"], [0.5, 0.5, 0.3, 0.7][seed % 4]
        objects, lines = [], {name: [] for name in classes}
        for picture in range(20):
            for _ in range(random.integers(0, 5)):
                corner = random.integers(1, 40, 2)
                far = corner + random.integers(1, 25, 2)
                objects.append([f"{picture:06}", classes[random.integers(2)], *corner.tolist(), *far.tolist(), int(random.random() < 0.25)])
        for _ in range(150):
            picture, name, *corners, _ = objects[random.integers(len(objects))]
            if random.random() < 0.3:
                name = classes[random.integers(3)]
            corners = (np.array(corners) + random.integers(-4, 5, 4) * (random.random(4) < 0.6)).tolist()
            corners[2:] = max(corners[0], corners[2]), max(corners[1], corners[3])
            lines[name].append([picture, round(float(random.random()), int(random.choice([1, 5]))), *corners])
        of_class = {name: {} for name in classes}
        for picture, name, *rest in objects:
            of_class[name].setdefault(picture, []).append(rest)
        values = [voc_average_precisions({p: np.array(of, float) for p, of in of_class[name].items()}, lines[name], threshold) for name in classes]
        yield {"iou_threshold": threshold, "classes": classes, "objects": objects, "detections": lines, "ap07": [v[0] for v in values], "ap12": [v[1] for v in values]}


def write(name, cases):
    (OUT / name).write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")


write("coco_metrics.json", coco_cases())
write("voc_metrics.json", voc_cases())
