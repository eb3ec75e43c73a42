# SPDX-License-Identifier: Apache-2.0
"""Interpolations: absolute, relative, nested, in texts, escaped, and those that lead nowhere."""
from . import each_config

ENVIRONMENT = {"FREEATM_TEST_NAME": "from the environment", "FREEATM_TEST_NUMBER": "5"}

LINKS = {
    "config.yaml": """
a: 1
b:
  c: ${a}
  d: ${.c}
  e: ${..a}
  f:
    g: ${...a}
    h: "${..c}-${a}"
text: "x${a}y${b.c}"
pair: ${a}${a}
types: ["${flag}_x", "${nothing}_x", "${rate}_x", "${list}_x", "${flag}", "${nothing}", "${rate}"]
flag: true
nothing: null
rate: 1e-5
list: [1, two, "${a}"]
element: [ "${list[1]}", "${list.0}", "${list.2}" ]
map: ${b.f}
chain: ${map.g}
which: b
nested: ${${which}.c}
nested_text: ${b.${letter}}
letter: c
escaped: \\${a}
escaped_twice: \\\\${a}
escaped_thrice: \\\\\\${a}
backslash: c:\\dir\\${a}
spaces: ${ a }
dollar: $5 and $a {x}
env: ${oc.env:FREEATM_TEST_NAME}
env_number: ${oc.env:FREEATM_TEST_NUMBER}
env_default: ${oc.env:FREEATM_NOT_SET,fallback text}
env_default_number: ${oc.env:FREEATM_NOT_SET, 0.50}
env_default_null: ${oc.env:FREEATM_NOT_SET,null}
env_default_true: ${oc.env:FREEATM_NOT_SET,true}
env_default_link: ${oc.env:FREEATM_NOT_SET,${a}}
env_default_quoted: ${oc.env:FREEATM_NOT_SET,"a, b"}
env_default_single: ${oc.env:FREEATM_NOT_SET,'it is ${a}'}
env_path: ${oc.env:FREEATM_NOT_SET,/data/x-1.0}/sub
env_escaped: ${oc.env:FREEATM_NOT_SET,a\\, b}
brackets: ${b[c]}
bracket_first: ${[b].f[g]}
""",
    "missing_key.yaml": "a: ${nope}\n",
    "missing_nested.yaml": "a: {b: 1}\nc: ${a.x}\n",
    "through_scalar.yaml": "a: 1\nb: ${a.x}\n",
    "cycle.yaml": "a: ${b}\nb: ${a}\n",
    "self.yaml": "a: ${a}\n",
    "parent.yaml": "a: {b: '${a}'}\n",
    "mutual.yaml": "a: {x: '${b}'}\nb: {y: '${a}'}\n",
    "not_mutual.yaml": "a: {x: '${b.k}', k: 1}\nb: ${a}\n",
    "unset.yaml": "a: ${oc.env:FREEATM_NOT_SET}\n",
    "resolver.yaml": "a: ${nope:1}\n",
    "unclosed.yaml": "a: ${b\nb: 1\n",
    "empty.yaml": "a: ${}\n",
    "to_missing.yaml": "a: ${b}\nb: ???\n",
    "too_many_dots.yaml": "a: ${...b}\nb: 1\n",
    "number_key.yaml": "a: ${${b}}\nb: 1\n",
    "bad_index.yaml": "a: [1]\nb: ${a[1]}\n",
    "name_index.yaml": "a: [1]\nb: ${a.x}\n",
    "relative_copy.yaml": "a: {x: 1, y: '${.x}'}\nb: {x: 2, z: '${a}'}\n",
}

TREES = {"links": LINKS}

CASES = [
    *each_config("links", LINKS),
    ("links", "config", ["a=7"]),
    ("links", "config", ["a=text", "which=map"]),
    ("links", "missing_key", ["+nope=1"]),
    ("links", "to_missing", ["b=[1,2]"]),
    ("links", "cycle", ["b=1"]),
]
