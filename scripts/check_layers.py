#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each layer includes only lower layers, and its CMakeLists.txt names just those it includes: scripts/check_layers.py"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDER = re.search(r"foreach\(layer ([^)]*)\)", (ROOT / "CMakeLists.txt").read_text())[1].split()
INCLUDE = re.compile(r'^\s*#include\s+"freeatm/(\w+)/', re.M)
# Headers that one place alone may include, and who that is.
GUARDED = {"yaml-cpp/": "src/config/", "spdlog/": "src/core/log.cpp", "CLI/": "tools/", "opencv2/": "src/vision/ src/data/world/"}
TORCHLESS = {"core", "config", "vision", "report", "text"}


def sources(layer):
    for base in ("include/freeatm", "src"):
        yield from sorted(p for p in (ROOT / base / layer).rglob("*") if p.suffix in (".h", ".cpp"))


def problems():
    for layer in ORDER:
        used = set()
        for path in sources(layer):
            text, name = path.read_text(), path.relative_to(ROOT).as_posix()
            for other in INCLUDE.findall(text):
                if other != layer:
                    used.add(other)
                    if other not in ORDER or ORDER.index(other) > ORDER.index(layer):
                        yield f"{name}: {layer} may not include {other}: it is no lower layer"
            for header, owners in GUARDED.items():
                if f"<{header}" in text and not any(name.startswith(owner) for owner in owners.split()):
                    yield f"{name}: <{header}...> belongs to {owners} alone"
            if layer in TORCHLESS and re.search(r"#include <(torch|ATen|c10)/", text):
                yield f"{name}: the layer {layer} does without torch"
            if name.startswith("include/") and "<torch/torch.h>" in text:
                yield f"{name}: a public header includes all of torch"
        declared = re.search(r"\bDEPS\b([^)]*?)(?:LIBS|TORCH|\))", (ROOT / "src" / layer / "CMakeLists.txt").read_text(), re.S)
        deps = set(declared[1].split()) if declared else set()
        for other in sorted(used - deps):
            yield f"src/{layer}/CMakeLists.txt: DEPS lacks {other}, which the layer includes"
        for other in sorted(deps - used):
            yield f"src/{layer}/CMakeLists.txt: DEPS names {other}, which the layer does not include"


found = list(problems())
print("\n".join(found) if found else f"layers: {len(ORDER)} in order, each with the DEPS that it includes")
sys.exit(bool(found))
