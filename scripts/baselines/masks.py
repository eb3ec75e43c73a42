# SPDX-License-Identifier: Apache-2.0
"""Reference values of what refines and judges masks, for tests/vision/refine_test.cpp and tests/evaluation/rank_correlation_test.cpp:
python scripts/baselines/masks.py

The guided filter as its definition says it (He, Sun & Tang 2013): in every window the linear function of the colours that fits the map best
under a ridge penalty, each pixel the mean over the windows that hold it. The boundary measure as DAVIS defines it, with SciPy's dilation."""
import json
from pathlib import Path

import numpy as np
from scipy import ndimage, stats

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH, RADIUS, EPSILON = 11, 14, 2, 0.01


def guided_filter(guide, target):
    total, count = np.zeros((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            window = np.s_[max(0, y - RADIUS):y + RADIUS + 1, max(0, x - RADIUS):x + RADIUS + 1]
            colours, values = guide[window].reshape(-1, 3), target[window].ravel()
            centred = colours - colours.mean(0)
            a = np.linalg.solve(centred.T @ centred / len(values) + EPSILON * np.eye(3), centred.T @ (values - values.mean()) / len(values))
            total[window] += guide[window] @ a + values.mean() - colours.mean(0) @ a
            count[window] += 1
    return total / count


def outline(mask):
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != padded[1:, :-1]) | (mask != padded[:-1, 1:]) | (mask != padded[1:, 1:])


def boundary_f(mask, reference, tolerance):
    radius = int(np.ceil(tolerance * np.hypot(*mask.shape)))
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    disk = x * x + y * y <= radius * radius
    ours, theirs = outline(mask), outline(reference)
    precision = (ours & ndimage.binary_dilation(theirs, disk)).sum() / ours.sum()
    recall = (theirs & ndimage.binary_dilation(ours, disk)).sum() / theirs.sum()
    return 2 * precision * recall / (precision + recall)


def main():
    random = np.random.default_rng(0)
    guide, target = random.integers(0, 256, (HEIGHT, WIDTH, 3)), random.random((HEIGHT, WIDTH)).astype(np.float32)
    masks = [ndimage.gaussian_filter(random.random((24, 30)), 2) > 0.5 for _ in range(4)]
    pairs = [(a, b, tolerance) for a in range(4) for b in range(4) if a != b for tolerance in (0.008, 0.05)]
    values = dict(guide=guide.ravel().tolist(), target=target.ravel().tolist(), height=HEIGHT, width=WIDTH, radius=RADIUS, epsilon=EPSILON,
                  filtered=guided_filter(guide / 255, target).ravel().tolist(),
                  masks=[mask.astype(int).ravel().tolist() for mask in masks],
                  boundaries=[dict(mask=a, reference=b, tolerance=t, f=boundary_f(masks[a], masks[b], t)) for a, b, t in pairs])
    (ROOT / "tests/vision/data/refine.json").write_text(json.dumps(values))

    a, b = random.integers(0, 6, 40), random.random(40)
    ranks = dict(a=a.tolist(), b=(b + a / 6).tolist(), correlation=stats.spearmanr(a, b + a / 6).statistic)
    (ROOT / "tests/evaluation/data/rank_correlation.json").write_text(json.dumps(ranks))


if __name__ == "__main__":
    main()
