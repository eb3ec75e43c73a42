# SPDX-License-Identifier: Apache-2.0
"""Maps of classes in every kind of PNG that holds them -> tests/vision/data/labels/

    .deps/peers/bin/python scripts/baselines/label_pngs.py

expected_NAME.png holds the numbers of NAME.png as 8-bit grey; bad_NAME.png is refused. What Pillow keeps as it is stored is read back with it."""
import io
import struct

import numpy as np
from PIL import Image
from pictures import GREY, GREY_ALPHA, OUT as PICTURES, PALETTE, RGB, RGBA, png

OUT = PICTURES.parent / "labels"


def voc_colors():
    """As the VOC devkit's VOClabelcolormap makes them."""
    colors = np.zeros((256, 3), np.uint8)
    for index in range(256):
        rest, shift = index, 7
        while rest:
            for channel in range(3):
                colors[index, channel] |= (rest >> channel & 1) << shift
            rest, shift = rest >> 3, shift - 1
    return colors


def labels(most):
    """[5, 7], with 0, 1, the largest and what lies between."""
    values = (np.arange(35, dtype=np.int64) * 37 + 11) % (most + 1)
    values[:3] = 0, 1, most
    return values.reshape(5, 7)


def pillow_palette(values):
    image = Image.fromarray(values.astype(np.uint8), "P")
    image.putpalette(voc_colors().tobytes())
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def cases():
    """name, file, numbers"""
    wide = labels(255)
    alpha = np.full_like(wide, 77)
    colors = voc_colors()
    yield "voc", pillow_palette(wide), wide
    for depth in (1, 2, 4, 8):
        values = labels(2**depth - 1)
        palette = [(b"PLTE", colors[: 2**depth].tobytes())]
        yield f"palette_{depth}", png(values[..., None], PALETTE, depth, interlaced=depth in (2, 8), extra=palette), values
        yield f"grey_{depth}", png(values[..., None], GREY, depth, interlaced=depth in (1, 8)), values
    few = labels(3)
    yield "palette_transparent", png(few[..., None], PALETTE, 8, extra=[(b"PLTE", colors[:4].tobytes()), (b"tRNS", bytes([0, 128]))]), few
    yield "grey_transparent", png(wide[..., None], GREY, extra=[(b"tRNS", struct.pack(">H", 1))]), wide
    yield "grey_16", png(wide[..., None], GREY, 16), wide
    yield "grey_alpha", png(np.stack([wide, alpha], -1), GREY_ALPHA), wide
    yield "grey_alpha_16", png(np.stack([wide, alpha * 300], -1), GREY_ALPHA, 16), wide
    yield "rgb", png(colors[wide], RGB), wide
    yield "rgba", png(np.concatenate([colors[wide], alpha[..., None]], -1), RGBA), wide


def bad_cases():
    wide = labels(255)
    yield "grey_16", png(np.where(np.arange(35).reshape(5, 7) == 9, 300, wide)[..., None], GREY, 16)
    colors = voc_colors()[wide]
    yield "rgb_16", png(colors.astype(np.int64) * 257, RGB, 16)
    colors[1, 2] = 128, 64, 1
    yield "rgb", png(colors, RGB)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    for name, data, values in cases():
        (OUT / f"{name}.png").write_bytes(data)
        Image.fromarray(values.astype(np.uint8), "L").save(OUT / f"expected_{name}.png")
        read = Image.open(io.BytesIO(data))
        if read.mode in ("P", "I;16") or name in ("grey_8", "grey_transparent"):  # grey of fewer bits is scaled, and converted where it has alpha
            assert (np.array(read) == values).all(), name
    for name, data in bad_cases():
        (OUT / f"bad_{name}.png").write_bytes(data)


main()
