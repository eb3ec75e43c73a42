# SPDX-License-Identifier: Apache-2.0
"""YAML files: scalars, keys, anchors, tags, documents, and what is not YAML."""
from . import each_config

ENVIRONMENT = {}

FILES = {
    "scalars.yaml": """
bools: [yes, No, ON, off, True, y, n, tRUE]
ints: [010, 0o10, 0x1F, 0b101, 1_000, +7, -0, 08, 1:30, 1:2:3, -1:30, 1__0]
floats: [1e-3, 1E5, 1., .5, -.5, +.5, 1.5e3, .5e3, .5e+3, 1_0.5, 6.02e+23, .inf, -.INF, .NaN, 1:30.5, 1e3_0]
nulls: [~, null, Null, NULL, nULL, ""]
empty:
texts: [2001-01-01, 1.2.3, "3", 'true', 1e, e5, 0x, ., +, 12:70, "it's", 'a "b"', a:b, http://x.y/z, "#no", 5 apples]
block: |
  two
  lines
folded: >-
  one
  line
unicode: Grüße 猫
quoted: "tab\\there"
infinity: [inf, nan, Infinity, 1_0, "1_0", "10"]
dates: ["2001-01-01", "12:30", "-", "? x", "x: y", "x #y", " pad ", "[", "*a", "%", "@", "=", "<<", "null", "~", ""]
""",
    "keys.yaml": "2: two\ntrue: yes\n1.5: f\n'3': q\nnull_key: {a b: 1, 'c: d': 2, '': 3}\n",
    "null_key.yaml": "null: 1\n",
    "anchors.yaml": "base: &b {x: 1, y: 2}\nsame: *b\nmore: {<<: *b, y: 3, z: 4}\ntwo: {<<: [{x: 9, w: 8}, *b]}\nlist: &l [1, *b]\nagain: *l\n",
    "duplicate.yaml": "a: 1\nb: 2\na: 3\n",
    "nested_duplicate.yaml": "a: {b: 1, b: 2}\n",
    "int_duplicate.yaml": "1: a\n1: b\n",
    "tag_str.yaml": "a: !!str 5\n",
    "tag_python.yaml": "a: !!python/name:os.system x\n",
    "tag_own.yaml": "a: !mine 5\n",
    "two_documents.yaml": "a: 1\n---\nb: 2\n",
    "one_document.yaml": "---\na: 1\n...\n",
    "not_yaml.yaml": "a: [1, 2\nb: 3\n",
    "tabs.yaml": "a:\n\tb: 1\n",
    "indent.yaml": "a: 1\n  b: 2\n",
    "colon.yaml": "a: b: c\n",
    "equals.yaml": "a: =\n",
    "no_alias.yaml": "a: *nowhere\n",
    "recursive.yaml": "a: &a [*a]\n",
    "list_key.yaml": "? [1, 2]\n: 3\n",
    "scalar.yaml": "5\n",
    "long_list.yaml": "a:\n- 1\n- - 2\n  - 3\n- {b: 4}\n-\n  c: 5\n  d: {}\n- []\n",
}

TREES = {"files": FILES}

CASES = each_config("files", FILES)
