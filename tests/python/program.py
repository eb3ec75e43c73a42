# SPDX-License-Identifier: Apache-2.0
"""Runs the program itself, from the repository's root, where the defaults (models/emoji) are."""
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("FREEATM_BINARY", ROOT / "build/release/freeatm"))


def run(*arguments):
    """What it says; AssertionError, with that, where it ends with anything but 0."""
    # With GOMP_SPINCOUNT set the program does not start itself once more.
    done = subprocess.run([BINARY, *map(str, arguments)], cwd=ROOT, env=os.environ | {"GOMP_SPINCOUNT": "2000"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}"
    return done.stdout
