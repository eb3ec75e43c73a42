# SPDX-License-Identifier: Apache-2.0
"""One figure of PyTorch's on a device, in a process of its own that scripts/gpu_check.sh starts and may end: device_steps.py ROW CONTESTANT ...
prints JSON. ROW is moco, mae or sample, CONTESTANT eager or compile; `device_steps.py peak` is the fastest matrix product, `device_steps.py
folder --model DIR` writes the diffusion model of random weights. --small: sizes for a rehearsal on a CPU."""
import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

STEPS_AT_ONCE = 4  # as bench/device_bench.cpp
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
CAPTION_STEPS = {True: 4, False: 25}  # of a picture: small, whole


def synchronize(device):
    if device != "cpu":
        torch.cuda.synchronize()


def peak_memory(device):
    """MiB: reserved by the allocator, as freeatm_bench has it; on a CPU the process's."""
    if device != "cpu":
        return torch.cuda.max_memory_reserved() / 2**20
    from peers.train import peak_memory as of_process
    return of_process()


def flops_of(step):
    """Of products, convolutions and attention, forward and backward: two for each multiplication with its sum."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def moco(options, compiled):
    from peers.train import Peer
    peer = Peer("nano" if options.small else "resnet50", compiled, options.batch, 64 if options.small else 224, options.device, DTYPES[options.dtype])
    return (lambda: peer.step(peer.views)), STEPS_AT_ONCE


def mae(options, compiled):
    from peers.masked import MODELS, Peer
    whole = dict(side=224, patch=16, dim=768, depth=12, heads=12, decoder=(512, 8, 16))
    peer = Peer((MODELS["nano"] if options.small else whole) | {"batch": options.batch}, compiled, options.device, DTYPES[options.dtype])
    return peer.step, STEPS_AT_ONCE


def sample(options, compiled):
    from peers.harvest import Peer
    peer = Peer(options.model, None, options.device, DTYPES[options.dtype])
    if compiled:
        peer = Peer(options.model, peer)
    return (lambda: peer.draw(options.batch, CAPTION_STEPS[options.small], None)), 1


def measure(options):
    if options.contestant == "compile" and options.small:  # the rehearsal wants the way there, not minutes of a C++ compiler
        compiler = torch.compile
        torch.compile = lambda *arguments, **keywords: compiler(*arguments, **keywords, backend="aot_eager")
    step, at_once = {"moco": moco, "mae": mae, "sample": sample}[options.row](options, options.contestant == "compile")
    step()
    flops = flops_of(step) if options.contestant == "eager" else None
    if options.device != "cpu":
        torch.cuda.reset_peak_memory_stats()  # FlopCounterMode takes attention apart
    for _ in range(at_once):
        step()
    synchronize(options.device)
    seconds = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        for _ in range(at_once):
            step()
        synchronize(options.device)
        seconds.append((time.perf_counter() - start) / at_once)
    return {"seconds": sorted(seconds), "peak_memory": peak_memory(options.device), "flops": flops}


def fastest_product(options):
    """FLOP/s of the fastest of some products of square matrices: what of a device's peak can be had."""
    rates = []
    for side in (512,) if options.small else (4096, 8192, 16384):
        a, b = (torch.randn(side, side, device=options.device).to(DTYPES[options.dtype]) for _ in range(2))
        for _ in range(6):
            synchronize(options.device)
            start = time.perf_counter()
            for _ in range(4):
                a @ b
            synchronize(options.device)
            rates.append(4 * 2 * side**3 / (time.perf_counter() - start))
    return {"flops_per_second": max(rates), "torch": torch.__version__, "cuda": torch.version.cuda}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", choices=("moco", "mae", "sample", "peak", "folder"))
    parser.add_argument("contestant", nargs="?", choices=("eager", "compile"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    if options.row == "folder":
        from peers.wide_folder import make_wide_folder, of_side
        weights = options.model.with_name("weights")
        make_wide_folder(weights)
        of_side(weights, 512, options.model)
        result = {}
    elif options.row == "peak":
        result = fastest_product(options)
    else:
        result = measure(options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
