# SPDX-License-Identifier: Apache-2.0
"""WebDataset shards: where the members of each sample lie in a tar, and their bytes by position."""
from __future__ import annotations

import functools
import os
import tarfile
from pathlib import Path

import numpy as np

_BLOCK = 512  # tar's unit
_OPEN_FILES = 64  # at once in a process: of many shards not all may be open


class _File:
    """A file held open until nobody uses it any more."""

    def __init__(self, path: str):
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self):
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


@functools.lru_cache(_OPEN_FILES)
def _open(path: str, identity: tuple[int, int, int]) -> _File:
    file = _File(path)
    if _identity(os.fstat(file.descriptor)) != identity:
        raise ValueError("the shard was written anew: open the folder again")
    return file


class Shard:
    """A shard's samples, from its tar headers alone. Threads, forked and spawned processes may share one: it holds no
    file open and reads by position. ValueError where it is no tar, or cut off or damaged."""

    def __init__(self, path: Path):
        self.path = path
        keys: list[str] = []
        rows: list[tuple[int, int, int, int]] = []  # sample, extension, offset, size
        extensions: dict[str, int] = {}
        with open(path, "rb") as file:
            self._identity = _identity(os.fstat(file.fileno()))
            try:
                with tarfile.open(fileobj=file, mode="r:") as tar:
                    for member in tar:
                        if not member.isreg():
                            continue
                        # WebDataset's rule: the key ends at the first dot of the file's name.
                        folder, slash, name = member.name.rpartition("/")
                        stem, _, extension = name.partition(".")
                        key = folder + slash + stem
                        if not keys or keys[-1] != key:
                            keys.append(key)
                        number = extensions.setdefault(extension, len(extensions))
                        rows.append((len(keys) - 1, number, member.offset_data, member.size))
                    end = tar.offset
            except tarfile.TarError as error:
                raise ValueError(f"{path}: root: is no tar file, or is damaged: {error}") from None
            file.seek(end)
            # tarfile takes a header that it cannot read, and the file's end, for the tar's.
            if file.read(_BLOCK) != bytes(_BLOCK):
                raise ValueError(f"{path}: root: is cut off or damaged at byte {end}")
        # Arrays: no objects whose reference counts each worker would write to, which copies their memory.
        self.keys = np.array(keys, dtype=str)
        self._rows = np.array(rows, np.int64).reshape(-1, 4).T.copy()  # [4, members]
        self._extensions = list(extensions)

    def __len__(self) -> int:
        return len(self.keys)

    def members(self, sample: int) -> dict[str, tuple[int, int]]:
        """extension -> (offset, size) of a sample's members, in the tar's order."""
        begin, end = np.searchsorted(self._rows[0], [sample, sample + 1])
        return {self._extensions[e]: (offset, size) for e, offset, size in self._rows[1:, begin:end].T.tolist()}

    def read(self, offset: int, size: int) -> bytes:
        """ValueError, which does not name the shard, where it is no longer what it was."""
        parts, file = [], _open(os.fspath(self.path), self._identity)
        while size > 0:
            part = os.pread(file.descriptor, size, offset)
            if not part:
                raise ValueError(f"the shard is cut off: {size} bytes wanted at {offset}")
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)


def open_shards(root: str | os.PathLike[str]) -> list[Shard]:
    """The shards (*.tar) of a folder in order of their names, or the one that `root` is."""
    root = Path(root)
    if root.is_file():
        return [Shard(root)]
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: root: no such folder")
    paths = sorted(path for path in root.glob("*.tar") if not path.name.startswith("."))
    if not paths:
        raise FileNotFoundError(f"{root}: root: holds no shards (*.tar)")
    return [Shard(path) for path in paths]
