# SPDX-License-Identifier: Apache-2.0
"""The console script `freeatm`: hands its arguments to the program that the wheel brings."""
from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path
from typing import NoReturn

_PROGRAM = Path(__file__).parent / "bin" / "freeatm"


def _trouble() -> str | None:
    """Why the program cannot run, in one line; None where it can."""
    if not _PROGRAM.is_file():
        return f"{_PROGRAM}: the program is not there: install the wheel, or build and run build/release/freeatm"
    try:
        from ._build import TORCH_VERSION
    except ModuleNotFoundError:  # a source tree, whose program finds the LibTorch that it was built with
        return None
    remedy = f"the program is linked to torch {TORCH_VERSION}: pip install torch=={TORCH_VERSION}"
    try:
        installed = importlib.metadata.version("torch")  # of its metadata: importing torch takes seconds
    except importlib.metadata.PackageNotFoundError:
        return f"torch: is not installed; {remedy}"
    if installed.split("+")[0] != TORCH_VERSION:  # "2.11.0+cpu" is 2.11.0
        return f"torch: {installed} is installed; {remedy}"
    return None


def main() -> NoReturn:
    """Becomes the program: its output, signals and exit code are its own. Exits with 2 where it cannot be run."""
    trouble = _trouble()
    if trouble is None:
        try:
            os.execv(_PROGRAM, [str(_PROGRAM), *sys.argv[1:]])
        except OSError as error:  # of another architecture, or not executable
            trouble = f"{_PROGRAM}: cannot be run: {error.strerror}"
    print(f"E {trouble}", file=sys.stderr)
    sys.exit(2)
