# SPDX-License-Identifier: Apache-2.0
"""Small tars as Python's tarfile and webdataset's TarWriter write them, for tests/data/tar_test.cpp: python scripts/baselines/tars.py

What each member holds is its own name, so that a test can tell whose bytes it got."""
import io
import tarfile
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "tests/data/data"
LONG = "deep/" * 30 + "picture-" + "x" * 90


def write(name, members, form):
    with tarfile.open(DATA / name, "w", format=form) as tar:
        for member in members:
            info = tarfile.TarInfo(member)
            info.size = len(member.encode())
            tar.addfile(info, io.BytesIO(member.encode()))


if __name__ == "__main__":
    unicode = ["a.png", "a.txt", "größe.png", "größe.txt", "犬.png", "犬.txt"]
    write("pax_unicode.tar", unicode, tarfile.PAX_FORMAT)
    write("gnu_unicode.tar", unicode, tarfile.GNU_FORMAT)
    long = [f"{LONG}{i}.{extension}" for i in range(2) for extension in ("png", "txt")]
    write("pax_long.tar", long, tarfile.PAX_FORMAT)
    write("gnu_long.tar", long, tarfile.GNU_FORMAT)
    write("strangers.tar", ["README", ".DS_Store", "b/._1.png", "b/1.PNG", "b/1.Txt", "b/.hidden.txt"], tarfile.USTAR_FORMAT)
    write("twice.tar", ["1.png", "2.png", "1.txt"], tarfile.USTAR_FORMAT)
