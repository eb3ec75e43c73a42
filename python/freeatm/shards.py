# SPDX-License-Identifier: Apache-2.0
"""A harvest as a torch Dataset."""
from __future__ import annotations

import os
from typing import Any, Callable

import numpy as np
import torch
from torch.utils.data import Dataset

from ._sample import read_sample
from ._tar import open_shards


class Shards(Dataset):
    """The pictures of a folder of shards (shard-NNNNNN.tar), or of one, by index.

    An item is a dict:
        key: str
        image: PIL picture, RGB
        caption: str, "" where there is none
        phrases: list of Phrase (text, role, span in characters, tokens, score, box)
        masks: bool [phrases, height, width], one a phrase
        with maps=True also
        tokens: list of str, those of the caption
        maps: float16 [tokens, h, w], before any threshold
    transform gets the picture, transforms the whole dict: with torchvision's transforms.v2 picture and masks (a
    tv_tensors.Mask then) are changed together; boxes stay those of the picture in the shard.

    ValueError and FileNotFoundError name the file, its member and the key. For DataLoader: collate_fn=list, as pictures
    have different numbers of phrases.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Callable[[Any], Any] | None = None,
        transforms: Callable[[dict[str, Any]], Any] | None = None,
        maps: bool = False,
    ):
        if transform and transforms:
            raise ValueError("transform, transforms: give one of them")
        self.transform, self.transforms, self.maps = transform, transforms, maps
        self.shards = open_shards(root)
        self._ends = np.cumsum([len(shard) for shard in self.shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        number = int(np.searchsorted(self._ends, index, side="right"))
        shard = self.shards[number]
        sample = read_sample(shard, index - int(self._ends[number]) + len(shard), self.maps)
        for name in ("masks", "maps") if self.maps else ("masks",):
            sample[name] = torch.from_numpy(sample[name])
        if self.transform:
            sample["image"] = self.transform(sample["image"])
        if self.transforms:
            from torchvision import tv_tensors  # says what a mask is to transforms.v2

            sample["masks"] = tv_tensors.Mask(sample["masks"])
            return self.transforms(sample)
        return sample
