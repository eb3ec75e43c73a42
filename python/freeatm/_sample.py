# SPDX-License-Identifier: Apache-2.0
"""What a shard says of one picture: KEY.png, KEY.json and KEY.maps.npy as objects of PIL and NumPy."""
from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from . import _rle
from ._tar import Shard

_PICTURES = ("png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "pbm", "pgm", "ppm", "pnm")  # as the program has them


@dataclass(frozen=True)
class Phrase:
    """A word or more of the caption, which names what the mask of the same index shows."""

    text: str
    role: str  # "thing", "stuff" or "ignored"
    span: tuple[int, int]  # caption[span[0]:span[1]] == text: characters, where KEY.json counts bytes of UTF-8
    tokens: tuple[int, ...]  # rows of the maps
    score: float  # how sure the mask is; 0 where nobody said
    box: tuple[int | float, ...] | None  # x, y, width, height of the mask, pixels of the picture in the shard


@contextlib.contextmanager
def _named(where: str) -> Iterator[None]:
    """Errors of the block begin with where they happened."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}{error}") from None


def character_span(caption: str, begin: int, end: int) -> tuple[int, int]:
    """[begin, end) in bytes of the caption's UTF-8 -> in characters. ValueError where it is no part of the caption."""
    encoded = caption.encode()
    if not 0 <= begin <= end <= len(encoded):
        raise ValueError(f"[{begin}, {end}) lies outside of '{caption}'")
    try:
        return len(encoded[:begin].decode()), len(encoded[:end].decode())
    except UnicodeDecodeError:
        raise ValueError(f"[{begin}, {end}) cuts a character of '{caption}'") from None


def _value(entry: Any, key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
    value = entry.get(key, default) if isinstance(entry, dict) else None
    if value is None:
        raise ValueError(f"{key}: is missing")
    if not isinstance(value, kind):
        raise ValueError(f"{key}: {json.dumps(value)[:80]} is of another type")
    return value


def _numbers(entry: Any, key: str, count: int, kind: type | tuple[type, ...] = int) -> list[Any]:
    values = _value(entry, key, list)
    if len(values) != count or not all(isinstance(value, kind) for value in values):
        raise ValueError(f"{key}: {json.dumps(values)[:80]}, where {count} numbers are wanted")
    return values


def _phrase(entry: Any, caption: str) -> Phrase:
    begin, end = _numbers(entry, "span", 2)
    with _named("span: "):
        span = character_span(caption, begin, end)
    return Phrase(
        text=_value(entry, "text", str),
        role=_value(entry, "role", str),
        span=span,
        tokens=tuple(_value(entry, "tokens", list, [])),
        score=float(_value(entry, "score", (int, float), 0.0)),
        box=tuple(_numbers(entry, "bbox", 4, (int, float))) if "bbox" in entry else None,
    )


def _mask(entry: Any, height: int, width: int) -> np.ndarray:
    segmentation = _value(entry, "segmentation", dict)
    with _named("segmentation: "):
        own_height, own_width = _numbers(segmentation, "size", 2)
        if (own_height, own_width) != (height, width):
            raise ValueError(f"a mask of {own_width}x{own_height} for a picture of {width}x{height}")
        return _rle.decode(_value(segmentation, "counts", str), height, width)


def _picture(data: bytes) -> Image.Image:
    try:
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except Exception as error:  # PIL's decoders raise OSError, SyntaxError, struct.error and more
        raise ValueError(f"is no whole picture: {error}") from None


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _maps(data: bytes) -> np.ndarray:
    maps = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    if maps.dtype != np.float16 or maps.ndim != 3:
        raise ValueError(f"{maps.dtype} {list(maps.shape)}, where float16 [tokens, h, w] are wanted")
    return maps


def read_sample(shard: Shard, index: int, with_maps: bool) -> dict[str, Any]:
    """What shards.py describes, with masks and maps as arrays. ValueError names shard, member and key."""
    members, key = shard.members(index), str(shard.keys[index])
    stem = f"{shard.path}/{key}"
    pictures = [name for name in members if name.lower() in _PICTURES]
    if not pictures:
        raise ValueError(f"{stem}: has no picture (PNG, JPEG, WebP, BMP, GIF, TIFF or PNM)")
    with _named(f"{stem}.{pictures[0]}: "):
        image = _picture(shard.read(*members[pictures[0]]))
    caption, told, phrases, masks = "", {}, [], []
    if "txt" in members:  # of other people's shards
        with _named(f"{stem}.txt: "):
            caption = shard.read(*members["txt"]).decode()
    if "json" in members:
        with _named(f"{stem}.json: "):
            told = _json(shard.read(*members["json"]))
            caption = _value(told, "caption", str, caption)
            for i, entry in enumerate(_value(told, "phrases", list, [])):
                with _named(f"phrases[{i}]."):
                    phrases.append(_phrase(entry, caption))
                    masks.append(_mask(entry, image.height, image.width))
    sample = {"key": key, "image": image, "caption": caption, "phrases": phrases,
              "masks": np.array(masks, bool).reshape(-1, image.height, image.width)}
    if with_maps:
        if "maps.npy" not in members:
            raise ValueError(f"{stem}.maps.npy: is not in the shard; without maps=True it is not asked for")
        with _named(f"{stem}.json: "):
            sample["tokens"] = [_value(token, "text", str) for token in _value(told, "tokens", list)]
        with _named(f"{stem}.maps.npy: "):
            sample["maps"] = _maps(shard.read(*members["maps.npy"]))
    return sample
