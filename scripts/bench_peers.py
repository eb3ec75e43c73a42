# SPDX-License-Identifier: Apache-2.0
"""How fast freeatm is beside the Python that a careful user would write:

    .deps/peers/bin/python scripts/bench_peers.py coco_eval     scoring files of detections
    .deps/peers/bin/python scripts/bench_peers.py coco_read     opening COCO's annotations
    .deps/peers/bin/python scripts/bench_peers.py detection     a Mask R-CNN's step and its inference
    .deps/peers/bin/python scripts/bench_peers.py detection_ops ROIAlign and NMS
    .deps/peers/bin/python scripts/bench_peers.py diffusion     training the autoencoder and the UNet
    .deps/peers/bin/python scripts/bench_peers.py harvest       drawing pictures and harvesting their maps;
                    --wide: of Stable Diffusion 1.5's width, whole processes (stable-diffusion.cpp beside) and steps apart
    .deps/peers/bin/python scripts/bench_peers.py masked        MAE's step
    .deps/peers/bin/python scripts/bench_peers.py miou          counting a confusion matrix, and scoring PNGs of classes
    .deps/peers/bin/python scripts/bench_peers.py ranks         two ranks beside DistributedDataParallel, and what they gain
    .deps/peers/bin/python scripts/bench_peers.py segmentation  FCN's and UPerNet's steps
    .deps/peers/bin/python scripts/bench_peers.py train         pretraining's step and its loader
    .deps/peers/bin/python scripts/bench_peers.py vitdet        ViTDet's backbone
    .deps/peers/bin/python scripts/bench_peers.py vl            vision-language training's step
    scripts/gpu_check.sh MINUTES                                on a GPU: steps of large models, drawing, harvesting

Contestants take turns, round after round, on the same data, threads and shapes, so that a machine that is busy for a while is busy for all.
Printed are medians over the rounds, and ratios of them: above 1, freeatm is faster. `--help` has the rest."""
import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from peers import (coco_eval, coco_read, detection, detection_ops, diffusion, harvest, masked, miou, ranks, segmentation, train,  # noqa: E402
                   tables, vision_language, vitdet)

SUITES = {"coco_eval": coco_eval, "coco_read": coco_read, "detection": detection, "detection_ops": detection_ops, "diffusion": diffusion,
          "harvest": harvest, "masked": masked, "miou": miou, "ranks": ranks, "segmentation": segmentation, "train": train, "vitdet": vitdet,
          "vl": vision_language}

# What of build/release/bench a suite runs, where it is not freeatm_bench; those that are not here run the program itself.
PROGRAMS = {"coco_eval": [], "coco_read": ["freeatm_coco_read"], "diffusion": [], "miou": ["freeatm_segmentation_count"], "ranks": []}


def require_programs(suite, freeatm):
    for program in [freeatm] + [freeatm.parent / "bench" / name for name in PROGRAMS.get(suite, ["freeatm_bench"])]:
        if not program.exists():
            sys.exit(f"{program} is not built: ninja -C {freeatm.parent} {program.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--freeatm", type=Path, default=Path(__file__).resolve().parents[1] / "build/release/freeatm")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out (it takes minutes to compile)")
    coco_read.add_arguments(parser)
    harvest.add_arguments(parser)
    options = parser.parse_args()
    require_programs(options.suite, options.freeatm)
    SUITES[options.suite].run(options, tables.compare)


if __name__ == "__main__":
    main()
