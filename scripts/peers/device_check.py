# SPDX-License-Identifier: Apache-2.0
"""The measured part of scripts/gpu_check.sh: tests, rows, a training, each bounded in time, and what is there already kept. PyTorch is only in
the processes that this one starts, so that one that fails or hangs costs its own figure alone."""
import argparse
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import device_page  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TESTS_SHARE, ROWS_SHARE = 0.2, 0.65  # of all minutes, at the most: until when tests and rows may take
BUILD_TESTS = ("ops_gpu_test", "training_gpu_test", "objectives_gpu_test")
# Dense products in bf16, from NVIDIA's data sheets, TFLOP/s; the first name that is a part of the device's counts.
DATA_SHEET = {"B200": 2250, "H200": 989, "H100 PCIe": 756, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "A10G": 70, "A10": 125}
# FLOP a picture of a step, or of a whole drawing (25 steps, guidance), as device_steps.py counts them: for machines without PyTorch.
COUNTED = {"moco": 65.1e9, "mae": 58.5e9, "sample": 42.7e12}


class Failed(Exception):
    pass


def run(command, log, seconds, environment=(), ask_first=False):
    """Returns what the command printed; its errors go to the log. It and its children end after so many seconds; ask_first: by Ctrl-C, 20 seconds
    before. Throws Failed with the log's last lines."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as errors:
        process = subprocess.Popen([str(word) for word in command], cwd=ROOT, env=os.environ | dict(environment), stdout=subprocess.PIPE, stderr=errors,
                                   text=True, start_new_session=True)
        try:
            out = process.communicate(timeout=max(1, seconds))[0]
        except subprocess.TimeoutExpired:
            if ask_first:
                os.killpg(process.pid, signal.SIGINT)
                try:
                    return process.communicate(timeout=20)[0]
                except subprocess.TimeoutExpired:
                    pass
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Failed(f"ended after {seconds:.0f} s")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        said = (log.read_text(errors="replace").strip() or out.strip()).splitlines()
        raise Failed(f"exit code {process.returncode}: " + " | ".join(said[-3:]))
    return out


class Check:
    def __init__(self, options):
        self.dry, self.out, self.build = options.dry, options.out, options.build
        self.begin, self.seconds = time.monotonic(), 60 * options.minutes
        self.device, self.dtype = ("cpu", "fp32") if self.dry else ("cuda", "bf16")
        self.failures = {}
        self.python = self.find_python()

    def left(self, share=1.0):
        """Seconds until this share of all minutes has passed."""
        return self.begin + share * self.seconds - time.monotonic()

    def find_python(self):
        """With PyTorch that uses the device; none: the rows have our figures alone."""
        for python in (os.environ.get("FREEATM_PEERS"), ROOT / ".deps/peers/bin/python", "python3"):
            if not python or not shutil.which(str(python)):
                continue
            try:
                run([python, "-c", f"import torch; torch.zeros(1, device='{self.device}')"], self.log("peers"), 180)
                return python
            except Failed:
                pass
        return None

    def part(self, name, measure, share=1.0):
        """measure(): what OUT/parts/NAME.json will hold; not called where that is there, nor when its share of the time has passed."""
        file = self.out / f"parts/{name}.json"
        if file.exists():
            return json.loads(file.read_text())
        if self.left(share) < 5:
            self.failures[name] = "not reached: no time was left"
            return None
        print(f"{name} ...", flush=True)
        begin = time.monotonic()
        try:
            found = measure() | {"date": datetime.datetime.now().isoformat(timespec="seconds"), "took": round(time.monotonic() - begin, 1)}
        except (Failed, OSError, ValueError, KeyError) as error:
            self.failures[name] = str(error)
            print(f"{name}: {error}", flush=True)
            return None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".new").write_text(json.dumps(found, indent=1))
        file.with_suffix(".new").rename(file)
        return found

    def log(self, name):
        return self.out / f"logs/{name}.log"

    def freeatm(self, name, *arguments, seconds, ask_first=False):
        return run([self.build / "freeatm", *arguments], self.log(name), seconds, ask_first=ask_first)

    def peer(self, name, *arguments, seconds):
        small = ["--small"] if self.dry else []
        out = run([self.python, ROOT / "scripts/peers/device_steps.py", *arguments, "--device", self.device, "--dtype", self.dtype, *small],
                  self.log(name), seconds)
        return json.loads(out.splitlines()[-1])

    def bench(self, name, filter_, environment, seconds):
        command = [self.build / "bench/freeatm_bench", f"--benchmark_filter=^{filter_}", "--benchmark_format=json", "--benchmark_min_time=2",
                   "--benchmark_min_warmup_time=0.01"]
        environment |= {"FREEATM_BENCH_DEVICE": self.device, "FREEATM_BENCH_DTYPE": self.dtype}
        return json.loads(run(command, self.log(name), seconds, environment))["benchmarks"][0]


def machine(check):
    def said(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()
        except OSError:
            return ""

    gpus = said("nvidia-smi", "--query-gpu=name,driver_version,memory.total,power.limit", "--format=csv,noheader").splitlines()
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"device": "the CPU (rehearsal)" if check.dry else (gpus or ["no nvidia-smi"])[0].split(",")[0], "gpus": gpus,
            "processor": processor[1] if processor else "", "cores": os.cpu_count(), "freeatm": said(check.build / "freeatm", "--version"),
            "commit": said("git", "-C", ROOT, "describe", "--always", "--dirty"), "dtype": check.dtype}


def tests(check):
    programs = [check.build / f"tests/{name.split('_')[0]}/{name}" for name in BUILD_TESTS]
    counts = {"passed": 0, "skipped": 0, "failed": 0}
    for program in programs:
        try:
            run([program, "--gtest_brief=0", f"--gtest_output=json:{check.log(program.name).with_suffix('.json')}"], check.log(program.name),
                check.left(TESTS_SHARE))
        except Failed as error:
            check.failures[program.name] = str(error)
        report = check.log(program.name).with_suffix(".json")
        for suite in json.loads(report.read_text())["testsuites"] if report.exists() else []:
            for one in suite["testsuite"]:
                if one.get("failures"):
                    counts["failed"] += 1
                    check.failures[f"{one['classname']}.{one['name']}"] = one["failures"][0]["failure"].splitlines()[0]
                else:
                    counts["skipped" if one["result"] == "SKIPPED" else "passed"] += 1
    return counts


def figures(pictures, seconds, peak_memory, flops=None):
    """seconds: sorted, of a step or a drawing of so many pictures"""
    median = seconds[len(seconds) // 2]
    return {"pictures": pictures, "median": median, "least": seconds[0], "most": seconds[-1], "pictures_per_second": pictures / median,
            "peak_memory": peak_memory, "flops": flops}


def training_row(check, row, batches):
    """Ours with the largest of these batches that fits; the others take the same."""
    size = 0 if check.dry else 1
    limit = 120 if check.dry else 180

    def ours(batch, name):
        found = check.bench(name, f"device_{row}/size:{size}/", {"FREEATM_BENCH_BATCH": str(batch)}, min(limit, check.left(ROWS_SHARE)))
        return figures(batch, [found["least"], found["median"], found["most"]], found["peak_memory"])

    def largest():
        for batch in batches:
            try:
                return ours(batch, f"{row}_freeatm")
            except Failed as error:
                if "out of memory" not in str(error) or batch == batches[-1]:
                    raise

    found = check.part(f"{row}_freeatm", largest, ROWS_SHARE)
    batch = found["pictures"] if found else batches[-1]
    if not check.python:
        return
    for contestant in ("eager", "compile"):
        def theirs(contestant=contestant):
            name = f"{row}_{contestant}"
            got = check.peer(name, row, contestant, "--batch", batch, seconds=min(2 * limit, check.left(ROWS_SHARE)))
            return figures(batch, got["seconds"], got["peak_memory"], got["flops"])
        check.part(f"{row}_{contestant}", theirs, ROWS_SHARE)


def model_to_draw_with(check):
    """Stable Diffusion 1.5's width and random weights, for 512 pixels; where nobody can write it, the emoji model, and so in a rehearsal."""
    folder = check.out / "work/sd15"
    if check.dry or not check.python:
        return ROOT / "models/emoji"
    if not (folder / "model_index.json").exists():
        shutil.rmtree(check.out / "work", ignore_errors=True)
        (check.out / "work").mkdir(parents=True)
        check.peer("folder", "folder", "--model", folder, seconds=min(240, check.left(ROWS_SHARE)))
    return folder


def sampling_row(check):
    if all((check.out / f"parts/sample_{name}.json").exists() for name in ("off", "tokens", "self", "eager", "compile")):
        return
    try:
        model = model_to_draw_with(check)
    except Failed as error:
        check.failures["sample"] = f"no model of Stable Diffusion 1.5's width, the emoji model draws: {error}"
        model = ROOT / "models/emoji"
    batch, steps = (1, 4) if check.dry else (4, 25)  # 4: one of them is at a timestep that is harvested
    environment = {"FREEATM_BENCH_MODEL": str(model), "FREEATM_BENCH_STEPS": str(steps)}

    def ours(name, harvest):
        found = check.bench(name, f"sample/batch:{batch}/harvest:{harvest}/", environment, min(180, check.left(ROWS_SHARE)))
        return figures(batch, [found["real_time"] / 1000], found["peak_memory"]) | {"model": model.name, "steps": steps}

    for harvest, kind in enumerate(("off", "tokens", "self")):
        check.part(f"sample_{kind}", lambda: ours(f"sample_{kind}", harvest), ROWS_SHARE)
    for contestant in ("eager", "compile") if check.python else ():
        def theirs(contestant=contestant):
            name = f"sample_{contestant}"
            got = check.peer(name, "sample", contestant, "--batch", batch, "--model", model, "--rounds", 3, seconds=min(300, check.left(ROWS_SHARE)))
            return figures(batch, got["seconds"], got["peak_memory"], got["flops"]) | {"model": model.name, "steps": steps}
        check.part(f"sample_{contestant}", theirs, ROWS_SHARE)


def train(check):
    """The emoji diffusion model, for what is left; the next call goes on with the same minutes."""
    root, model = check.out / "world", check.out / "model"
    small = {"vae": ["preview.count=8"], "unet": ["preview.steps=2"]} if check.dry else {}
    shared = ["trainer.warmup_steps=2", "trainer.log_every=1"] if check.dry else []
    check.freeatm("world", "world", f"out={root}", f"count={256 if check.dry else 40000}", f"eval_count={64 if check.dry else 1000}", seconds=check.left())
    data = [f"data.root={root}/scenes", f"out={check.out}/ldm", f"device={check.device}"]
    check.freeatm("tokenizer", "train-diffusion", "stage=tokenizer", *data, seconds=check.left())
    judging = 40 if check.dry else min(120, 0.1 * check.seconds)  # seconds
    plan = check.part("minutes", lambda: {stage: max(0.1, share * (check.left() - judging) / 60) for stage, share in (("vae", 0.3), ("unet", 0.55))})
    if plan is None:
        raise Failed("no time was left")
    for stage in ("vae", "unet"):
        minutes = plan[stage]
        check.freeatm(stage, "train-diffusion", f"stage={stage}", *data, f"budget_minutes={minutes:.2f}", f"preview.every_minutes={minutes / 2:.2f}",
                      *shared, *small.get(stage, []), seconds=check.left() - judging / 2, ask_first=True)
    shutil.copytree(check.out / "ldm/model", model, dirs_exist_ok=True)
    return {"minutes": {stage: plan[stage] for stage in ("vae", "unet")}, "psnr": last_metric(check.out / "ldm/vae", "psnr"),
            "loss": last_metric(check.out / "ldm/unet", "loss"), "samples_per_second": last_metric(check.out / "ldm/unet", "samples_per_second")}


def last_metric(run_folder, name):
    values = [json.loads(line).get(name) for line in (run_folder / "metrics.jsonl").read_text().splitlines()]
    return next((value for value in reversed(values) if value is not None), None)


def judge(check, name, path):
    """Its masks on scenes of val that nobody trained on."""
    count = 8 if check.dry else 256
    out = check.out / f"judged/{name}"
    check.freeatm(f"judge_{name}", "evaluate", "task=masks", f"diffusion.path={path}", f"data.root={check.out}/world/scenes", "data.split=val",
                  f"count={count}", "batch_size=8", f"device={check.device}", f"out={out}", seconds=max(20, check.left()))
    return {"metrics": json.loads((out / "metrics.json").read_text()), "pictures": count}


def gather(check):
    parts = {file.stem: json.loads(file.read_text()) for file in sorted((check.out / "parts").glob("*.json"))}
    result = {"dry": check.dry, "parts": parts, "failures": check.failures}
    result["rows"] = device_page.rows_of(parts, DATA_SHEET, COUNTED, check.dry)
    (check.out / "result.json").write_text(json.dumps(result, indent=1))
    (check.out / "index.html").write_text(device_page.page(result))
    print(device_page.text(result))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    options.build, options.out = options.build.resolve(), options.out.resolve()
    check = Check(options)
    try:
        check.part("machine", lambda: machine(check))
        check.part("tests", lambda: tests(check), TESTS_SHARE)
        if check.python:
            check.part("peak", lambda: check.peer("peak", "peak", seconds=60), ROWS_SHARE)
        else:
            check.failures["peers"] = "no Python with PyTorch for this device: scripts/setup_peers.sh, or FREEATM_PEERS"
        training_row(check, "moco", (8,) if check.dry else (512, 256, 128, 64, 32))
        training_row(check, "mae", (8,) if check.dry else (512, 256, 128, 64, 32))
        sampling_row(check)
        if check.part("training", lambda: train(check)):
            check.part("judged_new", lambda: judge(check, "new", check.out / "model"))
            check.part("judged_shipped", lambda: judge(check, "shipped", ROOT / "models/emoji"))
    finally:  # also by Ctrl-C: what was measured is shown
        gather(check)
        shutil.rmtree(check.out / "work", ignore_errors=True)
    sys.exit(1 if check.failures else 0)


if __name__ == "__main__":
    main()
