# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's logistic regression on features from hash_weights.py, for tests/evaluation/linear_head_test.cpp and linear_probe_test.cpp:
python scripts/baselines/linear_probe.py

Stored: probabilities of C = 1 for the first rows of the test set, its accuracy, and, nearly without regularisation (C = 1000), the accuracy
on one label a picture and the mean average precision on several."""
import json
from pathlib import Path

import numpy as np
from hash_weights import hash_array
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

OUT = Path(__file__).resolve().parents[2] / "tests/evaluation/data/linear_probe.json"
CLASSES, CHANNELS, TRAIN, TEST, ROWS = 7, 24, 2100, 1400, 20


def features(name, count):
    """Channels of very different scales and means, as backbones have them; classes that overlap."""
    labels = np.arange(count) * 5 % CLASSES
    x = hash_array(name, (count, CHANNELS)) + 0.35 * hash_array("centres", (CLASSES, CHANNELS))[labels]
    channel = np.arange(CHANNELS)
    return x.astype(np.float64) * (0.1 + channel % 5) + channel % 3, labels


def several(name, count):
    """Labels that a linear function of the features gives, with noise: [count, CLASSES]."""
    x, _ = features(name, count)
    scores = (x - x.mean(0)) / x.std(0) @ hash_array("centres", (CLASSES, CHANNELS)).T + 2 * hash_array(name + ".noise", (count, CLASSES))
    return x, scores > 1 + 0.3 * np.arange(CLASSES)


(x, y), (x_test, y_test) = features("train", TRAIN), features("test", TEST)
mean, deviation = x.mean(0), x.std(0)
x, x_test = (x - mean) / deviation, (x_test - mean) / deviation
out = {}
strong = LogisticRegression(C=1.0, tol=1e-8, max_iter=10000).fit(x, y)
out["probabilities"] = strong.predict_proba(x_test)[:ROWS].tolist()
out["accuracy"] = strong.score(x_test, y_test)
out["accuracy_unregularised"] = LogisticRegression(C=1000, tol=1e-8, max_iter=10000).fit(x, y).score(x_test, y_test)
(x, y), (x_test, y_test) = several("train", TRAIN), several("test", TEST)
x_test = (x_test - x.mean(0)) / x.std(0)
x = (x - x.mean(0)) / x.std(0)
heads = [LogisticRegression(C=1000, tol=1e-8, max_iter=10000).fit(x, y[:, k]) for k in range(CLASSES)]
out["mean_average_precision"] = float(np.mean([average_precision_score(y_test[:, k], heads[k].decision_function(x_test)) for k in range(CLASSES)]))
out["positives"] = y.sum(0).tolist()
OUT.write_text(json.dumps(out) + "\n")
print({key: value for key, value in out.items() if key != "probabilities"})
