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
GUARDED = {"yaml-cpp/": "src/config/", "spdlog/": "src/core/log.cpp", "CLI/": "tools/", "opencv2/": "src/vision/ src/world/"}
# Layers, and headers of others, that compile without torch's headers, their own includes' included: they are much faster.
TORCHLESS = {"core", "config", "runs", "vision", "text", "world"}
TORCHLESS_HEADERS = {"data": "captions controls dataset description detection sample shards",
                     "report": "curves gallery html plot run_views shard_view table"}
TORCH = re.compile(r"^\s*#include [<\"]((?:torch|ATen|c10)/[^>\"]*)", re.M)
OWN = re.compile(r'^\s*#include "([^"]+)"', re.M)


def sources(layer):
    for base in ("include/freeatm", "src"):
        yield from sorted(p for p in (ROOT / base / layer).rglob("*") if p.suffix in (".h", ".cpp"))


def way_to_torch(path, seen=()):
    """The includes from `path` to a header of torch's, or nothing."""
    text = path.read_text()
    if found := TORCH.search(text):
        return [path, found[1]]
    for name in OWN.findall(text):
        for base in (ROOT / "include", path.parent, *(ROOT / "src" / layer for layer in ORDER if layer in path.parts)):
            header = base / name
            if header.exists() and header not in seen:
                if way := way_to_torch(header, (*seen, path)):
                    return [path, *way]
                break
    return []


def torchless():
    for layer in sorted(TORCHLESS):
        yield from sources(layer)
    for layer, headers in TORCHLESS_HEADERS.items():
        yield from (ROOT / "include/freeatm" / layer / f"{header}.h" for header in headers.split())


def problems():
    for path in torchless():
        if way := way_to_torch(path):
            names = [p if isinstance(p, str) else p.relative_to(ROOT).as_posix() for p in way]
            yield f"{names[0]}: does without torch, but includes {' -> '.join(names[1:])}"
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
            if name.startswith("include/") and "<torch/torch.h>" in text:
                yield f"{name}: a public header includes all of torch"
        declared = re.search(r"\bDEPS\b([^)]*?)(?:LIBS|TORCH|PCH|\))", (ROOT / "src" / layer / "CMakeLists.txt").read_text(), re.S)
        deps = set(declared[1].split()) if declared else set()
        for other in sorted(used - deps):
            yield f"src/{layer}/CMakeLists.txt: DEPS lacks {other}, which the layer includes"
        for other in sorted(deps - used):
            yield f"src/{layer}/CMakeLists.txt: DEPS names {other}, which the layer does not include"


found = list(problems())
print("\n".join(found) if found else f"layers: {len(ORDER)} in order, each with the DEPS that it includes")
sys.exit(bool(found))
