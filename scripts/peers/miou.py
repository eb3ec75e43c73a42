# SPDX-License-Identifier: Apache-2.0
"""The mean IoU of 2,000 pictures of 512 px, of 21 and of 150 classes: freeatm (bench/segmentation_count.cpp) beside one NumPy bincount a picture, of maps in memory; then whole processes from two folders of PNGs, `freeatm evaluate
task=segmentation` beside PIL and the same loop. Each is a process of its own and says the same mean."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PICTURES, DISTINCT, SIDE = 2000, 100, 512


def maps(random, classes):
    """[2, side, side]: truth and prediction as blots with wavy borders, the prediction's elsewhere by some pixels, and a few pixels ignored."""
    cells = 8
    ground = random.integers(0, classes, (cells, cells))
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    bent = [(y + .03 * np.sin(2 * np.pi * (3 * x + random.random())), x + .03 * np.sin(2 * np.pi * (3 * y + random.random()))) for _ in range(2)]
    both = np.stack([ground[tuple((np.clip(part, 0, .999) * cells).astype(int) for part in pair)] for pair in bent]).astype(np.uint8)
    both[0, np.abs(y - x) < .01] = 255
    return both


def bincount_mean_iou(pairs, classes):
    confusion = np.zeros((classes, classes), np.int64)
    for truth, prediction in pairs:
        judged = truth < classes
        index = classes * truth[judged].astype(np.int64) + prediction[judged]
        confusion += np.bincount(index, minlength=classes ** 2).reshape(classes, classes)
    right = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - right
    return (right[union > 0] / union[union > 0]).mean()


def output_of(command, threads):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def counting(name, command, threads, means):
    def seconds():
        spent, means[name] = map(float, output_of(command, threads).split())
        return spent
    return seconds


def whole(name, command, threads, means):
    def seconds():
        start = time.perf_counter()
        said = output_of(command, threads).split()
        means[name] = float(said[said.index("mean_iou") + 1] if "mean_iou" in said else said[-1])
        return time.perf_counter() - start
    return seconds


def run(options, compare):
    from PIL import Image
    for classes in (21, 150):
        with tempfile.TemporaryDirectory() as folder:
            root, random = Path(folder), np.random.default_rng(0)
            pairs = np.stack([maps(random, classes) for _ in range(DISTINCT)])
            pairs.tofile(root / "maps")
            for side, name in enumerate(("truth", "predictions")):
                (root / name).mkdir()
                for i in range(PICTURES):
                    file = root / name / f"{i:06}.png"
                    if i < DISTINCT:
                        Image.fromarray(pairs[i, side]).save(file)
                    else:
                        os.link(root / name / f"{i % DISTINCT:06}.png", file)
            means, threads = {}, options.threads
            shape = [root / "maps", DISTINCT, SIDE, classes, PICTURES // DISTINCT]
            ours = [options.freeatm.parent / "bench/freeatm_segmentation_count", *shape, threads]
            compare(f"{PICTURES} maps of {SIDE} px in memory, {classes} classes", "s",
                    {"freeatm": counting("freeatm", ours, threads, means), "NumPy": counting("NumPy", [sys.executable, __file__, *shape], threads, means)}, options.rounds)
            files = [options.freeatm, "evaluate", "task=segmentation", f"truth={root}/truth", f"predictions={root}/predictions", f"classes={classes}", "score.boundary=false",
                     f"out={root}/out", "resume=force"]
            compare(f"{PICTURES} PNGs of {SIDE} px, {classes} classes", "s",
                    {"freeatm": whole("freeatm, files", files, threads, means), "PIL and NumPy": whole("PIL", [sys.executable, __file__, root, classes], threads, means)}, options.rounds)
            print("\nmean IoU: " + ", ".join(f"{name} {mean:.4f}" for name, mean in means.items()), flush=True)


if __name__ == "__main__":  # a process of its own, as ours is
    if len(sys.argv) == 3:  # ROOT CLASSES
        from PIL import Image
        files = sorted(Path(sys.argv[1], "truth").iterdir())
        pairs = ((np.asarray(Image.open(file)), np.asarray(Image.open(Path(sys.argv[1], "predictions", file.name)))) for file in files)
        print(bincount_mean_iou(pairs, int(sys.argv[2])))
    else:  # FILE PICTURES SIDE CLASSES REPEATS
        pictures, side, classes, repeats = map(int, sys.argv[2:])
        pairs = np.fromfile(sys.argv[1], np.uint8).reshape(pictures, 2, side, side)
        start = time.perf_counter()
        mean = bincount_mean_iou((pairs[i % pictures] for i in range(repeats * pictures)), classes)
        print(time.perf_counter() - start, mean)
