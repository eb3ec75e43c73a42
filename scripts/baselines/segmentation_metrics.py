# SPDX-License-Identifier: Apache-2.0
"""Reference values of semantic segmentation's metrics, for tests/evaluation/segmentation_metrics_test.cpp:
python scripts/baselines/segmentation_metrics.py

Confusion and IoU of each class come from scikit-learn over all pixels of a case together; transformers' users know the same from evaluate's
`mean_iou`, whose sums and quotients are computed beside it and must agree. Boundary IoU is made from its paper (Cheng et al. 2021): a mask minus
its erosion by cv2, whose outside of the picture is 0. Maps are stored as value, length, value, length, ..., row after row."""
import json
from pathlib import Path

import cv2
import numpy as np
from sklearn.metrics import confusion_matrix, jaccard_score, recall_score

OUT = Path(__file__).resolve().parents[2] / "tests/evaluation/data/segmentation_metrics.json"
IGNORED = 255


def regions(random, height, width, values):
    """Some rectangles over a ground."""
    out = np.full((height, width), random.choice(values), np.uint8)
    for _ in range(random.integers(2, 9)):
        y, x = random.integers(0, height), random.integers(0, width)
        out[y:y + random.integers(1, height + 1), x:x + random.integers(1, width + 1)] = random.choice(values)
    return out


def disturbed(random, truth, values):
    """As a model's: moved a little, with other regions in it and pixels that are off."""
    out = np.roll(np.where(truth == IGNORED, random.choice(values), truth), random.integers(-3, 4, 2), (0, 1))
    y, x = random.integers(0, out.shape[0]), random.integers(0, out.shape[1])
    out[y:y + out.shape[0] // 3, x:x + out.shape[1] // 3] = random.choice(values)
    noise = random.random(out.shape) < 0.01
    out[noise] = random.choice(values, noise.sum())
    return out.astype(np.uint8)


def run_lengths(labels):
    flat = labels.ravel()
    starts = np.r_[0, np.flatnonzero(np.diff(flat)) + 1]
    return np.stack([flat[starts], np.diff(np.r_[starts, flat.size])], 1).ravel().tolist()


def boundary(mask):
    height, width = mask.shape
    distance = max(1, int(round(0.02 * np.sqrt(height ** 2 + width ** 2))))
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return mask & (cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=distance)[1:-1, 1:-1] == 0)


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else 0.0


def values_of(pictures, classes):
    judged = [(t[t != IGNORED].astype(int), p[t != IGNORED].astype(int)) for t, p in pictures]
    truth, prediction = (np.concatenate(part) for part in zip(*judged))
    prediction = np.minimum(prediction, classes)  # what is no class is one more label, wrong everywhere
    labels = list(range(classes))
    confusion = confusion_matrix(truth, prediction, labels=[*labels, classes])[:classes]
    iou = jaccard_score(truth, prediction, labels=labels, average=None, zero_division=0).tolist()
    accuracy = recall_score(truth, prediction, labels=labels, average=None, zero_division=0).tolist()
    in_truth, in_either = confusion.sum(1) > 0, confusion.sum(1) + confusion.sum(0)[:classes] > 0
    iou = [value if there else None for value, there in zip(iou, in_either)]
    accuracy = [value if there else None for value, there in zip(accuracy, in_truth)]

    area = {name: np.array([(of == k).sum() for k in labels], float) for name, of in (("truth", truth), ("prediction", prediction), ("both", truth[truth == prediction]))}
    with np.errstate(invalid="ignore"):  # evaluate's mean_iou
        assert abs(np.nanmean(area["both"] / (area["truth"] + area["prediction"] - area["both"])) - mean(iou)) < 1e-12
        assert abs(np.nanmean(area["both"] / area["truth"]) - mean(accuracy)) < 1e-12

    both, either = np.zeros(classes, int), np.zeros(classes, int)
    for t, p in pictures:
        for k in labels:
            true_edge, predicted_edge = boundary(t == k), boundary((p == k) & (t != IGNORED))
            both[k] += (true_edge & predicted_edge).sum()
            either[k] += (true_edge | predicted_edge).sum()
    boundary_iou = [float(b / e) if e else None for b, e in zip(both, either)]
    frequency = confusion.sum(1) / confusion.sum()
    return {"confusion": confusion[:, :classes].tolist(), "no_class": confusion[:, classes].tolist(), "iou": iou, "accuracy": accuracy, "boundary_iou": boundary_iou,
            "mean_iou": mean(iou), "mean_accuracy": mean(accuracy), "mean_boundary_iou": mean(boundary_iou),
            "pixel_accuracy": float((truth == prediction).mean()), "frequency_weighted_iou": float(sum(f * (v or 0) for f, v in zip(frequency, iou)))}


def cases():
    #         classes, of the truth, of the prediction, height and width of each picture
    kinds = [(5, [0, 1, 2, 3, 4, IGNORED], [0, 1, 2, 3, 4], [(30, 40), (25, 33)]), (6, [0, 2, 5], [0, 2, 3, IGNORED], [(40, 50), (40, 50)]),
             (1, [0], [0], [(9, 7)]), (1, [0, IGNORED], [0, 7], [(20, 31)]), (150, [3, 70, 148, 149, IGNORED], [3, 70, 149, 150, 254], [(75, 100)]),
             (3, [1], [1], [(1, 17), (16, 1), (3, 3), (1, 1)]), (4, [0, 1, 2, IGNORED], [0, 1, 2, 3], [(100, 120), (45, 60)]), (255, [0, 254], [0, 254, IGNORED], [(41, 23)]),
             (2, [0, 1], [0, 1], [(180, 310)]), (4, [IGNORED, IGNORED, 2], [0, 1, 2, 3], [(64, 64)])]
    for seed, (classes, in_truth, in_prediction, sizes) in enumerate(kinds):
        random, pictures = np.random.default_rng(seed), []
        for height, width in sizes:
            truth = regions(random, height, width, in_truth)
            pictures.append((truth, disturbed(random, truth, in_prediction)))
        yield {"classes": classes, "pictures": [{"height": t.shape[0], "width": t.shape[1], "truth": run_lengths(t), "prediction": run_lengths(p)} for t, p in pictures],
               **values_of(pictures, classes)}


def sparse(case):
    """Without the zeros of a matrix: row, column, pixels of the others."""
    confusion = np.array(case["confusion"])
    return {**case, "confusion": [[int(r), int(c), int(confusion[r, c])] for r, c in np.argwhere(confusion)]}


OUT.write_text("[\n" + ",\n".join(json.dumps(sparse(case), separators=(",", ":")) for case in cases()) + "\n]\n")
