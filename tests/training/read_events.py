# SPDX-License-Identifier: Apache-2.0
"""Reads a run's scalars with TensorBoard's own reader and compares them with its metrics.jsonl: python read_events.py RUN

Ends with 1, and says what differs."""
import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = pathlib.Path(sys.argv[1])
wanted = {}
for line in (run / "metrics.jsonl").read_text().splitlines():
    values = json.loads(line)
    step = values.pop("step")
    for name, value in values.items():
        wanted.setdefault(name, []).append((step, value))

accumulator = EventAccumulator(str(run), size_guidance={"scalars": 0})
accumulator.Reload()
found = {name: [(event.step, event.value) for event in accumulator.Scalars(name)] for name in accumulator.Tags()["scalars"]}

if sorted(found) != sorted(wanted):
    sys.exit(f"tags {sorted(found)}, not {sorted(wanted)}")
for name, values in wanted.items():
    if [step for step, _ in found[name]] != [step for step, _ in values]:
        sys.exit(f"{name}: steps {[step for step, _ in found[name]]}, not {[step for step, _ in values]}")
    for (step, value), (_, other) in zip(values, found[name]):
        if abs(value - other) > 1e-6 * abs(value) + 1e-12:  # fp32
            sys.exit(f"{name} at step {step}: {other}, not {value}")
print(f"{sum(map(len, wanted.values()))} values of {len(wanted)} scalars")
