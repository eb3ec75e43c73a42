# SPDX-License-Identifier: Apache-2.0
"""COCO's run lengths, the masks of a shard."""
from __future__ import annotations

import numpy as np

_MOST_GROUPS = 7  # of five bits: more than any picture needs


def decode(counts: str, height: int, width: int) -> np.ndarray:
    """COCO's compressed `counts` -> bool [height, width]: pycocotools' `decode`. ValueError where they are broken.

    The text holds numbers in groups of five bits, low ones first, printed from '0' on; bit 5 says that another group
    follows, bit 4 of a number's last group is its sign. They are the lengths of runs of zeros and ones in turn, column
    by column; from the fourth on each is given less the one two before it.
    """
    groups = np.frombuffer(counts.encode(), np.uint8).astype(np.int64) - ord("0")
    if ((groups < 0) | (groups > 63)).any():
        raise ValueError("the run lengths are broken: a character that has no place in them")
    last = np.flatnonzero(groups < 32)  # of each number
    first = np.r_[0, last[:-1] + 1][: last.size]
    lengths = last - first + 1
    if lengths.sum() != groups.size or (lengths > _MOST_GROUPS).any():
        raise ValueError("the run lengths are broken: a number without an end")
    shifts = 5 * (np.arange(groups.size) - np.repeat(first, lengths))
    numbers = np.add.reduceat((groups & 31) << shifts, first) if last.size else np.zeros(0, np.int64)
    numbers -= np.where(groups[last] & 16, 1 << 5 * lengths, 0)
    runs = numbers.copy()
    runs[1::2], runs[2::2] = np.cumsum(numbers[1::2]), np.cumsum(numbers[2::2])
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError(f"the run lengths do not fill {width}x{height} pixels")
    values = np.arange(runs.size) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, runs).reshape(width, height).T)
