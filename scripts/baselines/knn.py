# SPDX-License-Identifier: Apache-2.0
"""kNN votes as in DINOv2, in NumPy, for tests/evaluation/knn_test.cpp: python scripts/baselines/knn.py

Features come from hash_weights.py (the labels' centres are added, so that votes mean something); stored are the predictions for each k."""
import json
from pathlib import Path

import numpy as np
from hash_weights import hash_array

OUT = Path(__file__).resolve().parents[2] / "tests/evaluation/data/knn.json"
CLASSES, BANK, QUERIES, CHANNELS, TEMPERATURE = 7, 250, 60, 12, 0.07


def features(name, count):
    labels = np.arange(count) * 5 % CLASSES
    x = hash_array(name, (count, CHANNELS)) + 0.3 * hash_array("centres", (CLASSES, CHANNELS))[labels]
    return x.astype(np.float64), labels


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


(bank, bank_labels), (queries, _) = features("bank", BANK), features("queries", QUERIES)
similarity = unit(queries) @ unit(bank).T
predicted = {}
for k in (10, 20, 100, 200):
    nearest = np.argsort(-similarity, axis=1)[:, :k]
    votes = np.zeros((QUERIES, CLASSES))
    for q in range(QUERIES):
        np.add.at(votes[q], bank_labels[nearest[q]], np.exp(similarity[q, nearest[q]] / TEMPERATURE))
    predicted[str(k)] = votes.argmax(1).tolist()
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps(predicted) + "\n")
