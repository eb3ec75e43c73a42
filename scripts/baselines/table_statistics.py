# SPDX-License-Identifier: Apache-2.0
"""NumPy's and SciPy's means, deviations and paired intervals for tests/tables/statistics_test.cpp:
python scripts/baselines/table_statistics.py"""
import json
from pathlib import Path

import numpy as np
from scipy import stats

OUT = Path(__file__).resolve().parents[2] / "tests/tables/data/statistics.json"
DEGREES, INSIDE = (1, 2, 3, 4, 5, 9, 10, 29, 100, 1001), (0.5, 0.9, 0.95, 0.99, 0.999)


def case(count, seed):
    random = np.random.default_rng(seed)
    baseline = random.normal(0.65, 0.02, count)
    values = baseline + random.normal(0.03, 0.01, count)
    difference = values - baseline
    interval = stats.ttest_rel(values, baseline).confidence_interval(0.95)
    return {"values": values.tolist(), "baseline": baseline.tolist(), "mean": float(values.mean()), "deviation": float(values.std(ddof=1)),
            "difference": float(difference.mean()), "deviation_of_pairs": float(difference.std(ddof=1)),
            "interval": [float(interval.low), float(interval.high)]}


def main():
    quantiles = [{"inside": p, "degrees": v, "t": float(stats.t.ppf(0.5 + p / 2, v))} for v in DEGREES for p in INSIDE]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"quantiles": quantiles, "cases": [case(n, n) for n in (2, 3, 5, 12)]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
