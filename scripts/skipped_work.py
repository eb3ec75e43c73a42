# SPDX-License-Identifier: Apache-2.0
"""What skipped work saves and costs (docs/harvest.md): .deps/peers/bin/python scripts/skipped_work.py [--count 64] [--rounds 3]

Each row is `freeatm harvest` with some keys. Time: seconds of the processors a picture, the least of some rounds in turns (other work on the
machine adds to a clock's), without what starting takes. Pictures: mean absolute difference from those of the first row, in 1/255. Masks: mean
IoU of the things' masks with those that `evaluate task=masks` finds when it looks at the finished pictures again, three whole passes each: do
the masks fit the pictures that they stand beside?"""
import argparse
import io
import json
import resource
import subprocess
import tarfile
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
ROWS = ["", "sampler.steps=21", "sampler.steps=17", "sampler.steps=13", "sampler.cache_interval=2", "sampler.cache_interval=3",
        "sampler.cache_interval=5", "sampler.cache_interval=3 sampler.cache_depth=2", "sampler.cache_interval=5 sampler.cache_depth=2",
        "sampler.guidance_interval=[0,600]", "harvest.timestep_min=200 harvest.only_masks=true"]


def run(*words):
    """Seconds of the processors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([ROOT / "build/release/freeatm", *words], cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def harvest(keys, count, out):
    return run("harvest", f"count={count}", f"shard_size={count}", f"out={out}", *keys.split())


def members(out, extension):
    with tarfile.open(out / "shard-000000.tar") as shard:
        return [shard.extractfile(m).read() for m in shard if m.name.endswith(extension)]


def pictures(out):
    return np.stack([cv2.imdecode(np.frombuffer(b, np.uint8), cv2.IMREAD_COLOR) for b in members(out, ".png")]).astype(np.float32)


def masks_iou(out):
    """The masks become what is known of the pictures: a mask without a score counts as exact."""
    known = out.parent / (out.name + "_known")
    known.mkdir()
    with tarfile.open(out / "shard-000000.tar") as shard, tarfile.open(known / "shard-000000.tar", "w") as copy:
        for member in shard:
            data = shard.extractfile(member).read()
            if member.name.endswith(".json"):
                described = json.loads(data)
                for phrase in described["phrases"]:
                    phrase.pop("score", None)
                data = json.dumps(described).encode()
            member.size = len(data)
            copy.addfile(member, io.BytesIO(data))
    judged = out.parent / (out.name + "_judged")
    run("evaluate", "task=masks", f"data.root={known}", "count=100000", f"out={judged}")
    return json.loads((judged / "metrics.json").read_text())["mean_iou"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", nargs="*", default=ROWS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds, outs = {row: [] for row in args.rows}, {row: Path(folder) / str(i) for i, row in enumerate(args.rows)}
        start = min(harvest("sampler.steps=1 harvest.timestep_max=999", 1, Path(folder) / f"start{i}") for i in range(args.rounds))
        for number in range(args.rounds):
            for row in args.rows:
                out = outs[row] if number == 0 else Path(folder) / f"{outs[row].name}_{number}"
                seconds[row].append(harvest(row, args.count, out) - start)
        whole = pictures(outs[args.rows[0]])
        for row in args.rows:
            change = np.abs(pictures(outs[row]) - whole).mean()
            print(f"| `{row}` | {min(seconds[row]) / args.count:.3f} | {change:.2f} | {masks_iou(outs[row]):.3f} |", flush=True)


if __name__ == "__main__":
    main()
