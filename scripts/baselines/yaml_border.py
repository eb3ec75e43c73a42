# SPDX-License-Identifier: Apache-2.0
"""What OmegaConf's loader (PyYAML) makes of small texts around YAML's corners -> tests/config/data/yaml_border.json:
[[text, value], ...] and [text] alone where it is refused.

    .deps/peers/bin/python scripts/baselines/yaml_border.py

Tags, documents, explicit keys and carriage returns are left out: what yaml-cpp and PyYAML make of those differs on purpose."""
import json
import math
import random
from pathlib import Path

import yaml
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader

OUT = Path(__file__).resolve().parents[2] / "tests/config/data/yaml_border.json"
SEEDS = ["a: [3.0,,30.0]\n", "a: 1\nb", "a: >+\n  x\n\nb: 1\n", "a: >\n  x\n  y\n\n  z\nb: [1, 2]\n", "a: |+\n  x\n\n\n",
         "- 1\n- {a: b, c: }\n- \n", "a:\n  - 1\n  -\n  - ~\nb: {x, y: 1}\n", "a: 'it''s'\nb: \"x\\n\"\n", "a: # c\n  b: 1\n#x\nc: d # e\n",
         "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  d: 2\n", "a: [\n  1,\n  2,\n]\n", "a: |-\n   x\n    y\nb: 1", "{a: 1, b: [null, ~, ], c: {}}\n",
         "a: b: c\n", "a: 1 2\n   3\nb: 0x10\n", "a: >-\n  x\n\n\n   y\n  z\n", "x:\n- a\n- b\ny:\n  - c\n", "a: \"q\n  r\"\n",
         "a: yes\nb: 1e3\nc: .inf\n", "a: [a b, c: d, 'e']\n", "a: \nb\n", "a\tb: 1\n", "a:\t1\n", "a: >+\n\nb: 1\n", "a:\n  >+\n  x\n\n"]
PIECES = [",", ":", " ", "\n", "-", "[", "]", "{", "}", "#", "'", '"', "|", ">", "+", "&x", "*x", "~", "null", "a", "1", "  ", "\t", "@", "`",
          "\\", "<<: ", "- ", ": ", ", ", "1.5"]


LEFT_OPEN = ("\t\n", "\n\t", "\\'")  # tabs behind quotes and brackets, which events do not show; escapes that PyYAML does not know


def changed(text, draw):
    for _ in range(draw.randint(1, 3)):
        at, kind = draw.randrange(len(text) + 1), draw.random()
        if kind < .45:
            text = text[:at] + draw.choice(PIECES) + text[at:]
        elif kind < .75:
            text = text[:at] + text[at + draw.randint(1, 3):]
        elif kind < .9:
            other = draw.choice(SEEDS)
            text = text[:at] + other[draw.randrange(len(other)):]
        else:
            text = text[:-1]
    return text


def encoded(value):
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    return f"float:{value}" if isinstance(value, float) and not math.isfinite(value) else value


def main():
    draw, cases = random.Random(0), {}
    for text in SEEDS + [changed(draw.choice(SEEDS), draw) for _ in range(2500)]:
        if any(part in text for part in LEFT_OPEN):
            continue
        try:
            value = yaml.load(text, Loader=get_yaml_loader())
            if not isinstance(value, (dict, list)):
                continue
            value = OmegaConf.to_container(OmegaConf.create(value))
            if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
                continue
            cases[text] = [text, encoded(value)]
        except Exception:
            cases[text] = [text]
    OUT.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases.values()) + "\n]\n")
    print(len(cases), sum(len(case) == 1 for case in cases.values()))


main()
