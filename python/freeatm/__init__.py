# SPDX-License-Identifier: Apache-2.0
"""Python's side of freeatm: what the program harvests and trains, for users of PyTorch, torchvision and timm.

    Shards          a harvest's pictures, captions, phrases and masks as a torch Dataset
    load_backbone   a run's backbone as a model of timm or torchvision
    state_dict      its tensors alone, under their names
"""
from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._sample import Phrase as Phrase
    from .backbone import load_backbone as load_backbone
    from .backbone import state_dict as state_dict
    from .shards import Shards as Shards

try:
    __version__ = importlib.metadata.version("freeatm")
except importlib.metadata.PackageNotFoundError:  # a source tree
    __version__ = "0+source"

# Imported when they are asked for: the console script starts without torch.
_HOMES = {"Phrase": "._sample", "Shards": ".shards", "load_backbone": ".backbone", "state_dict": ".backbone"}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'freeatm' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
