# SPDX-License-Identifier: Apache-2.0
"""Small pictures in the formats that the decoder reads, each with what PIL makes of it as RGB on white -> tests/vision/data/pictures/

    .deps/judges/bin/python scripts/baselines/pictures.py
"""
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(__file__).resolve().parents[2] / "tests/vision/data/pictures"


def rgba():
    y, x = np.mgrid[0:19, 0:26]
    channels = [x * 9, y * 13, (x * y) % 256, np.clip(x * 14 - 40, 0, 255)]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def sixteen_bit_png(pixels):
    """PIL writes no 16-bit RGB: each value's low byte is its complement here."""
    height, width, _ = pixels.shape
    wide = pixels.astype(">u2") * 256 + (255 - pixels)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in wide)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    image = rgba()
    rgb = image.convert("RGB")
    rgb.save(OUT / "rgb.png")
    image.save(OUT / "alpha.png")
    image.convert("LA").save(OUT / "grey_alpha.png")
    rgb.convert("L").save(OUT / "grey.png")
    rgb.convert("1").save(OUT / "bits.png")
    rgb.quantize(16).save(OUT / "palette.png")
    (OUT / "sixteen.png").write_bytes(sixteen_bit_png(np.asarray(rgb)))
    rgb.save(OUT / "rgb.jpg", quality=90, subsampling=0)
    rgb.save(OUT / "subsampled.jpg", quality=70, subsampling=2)
    rgb.save(OUT / "progressive.jpg", quality=80, progressive=True)
    rgb.convert("L").save(OUT / "grey.jpg")
    rgb.convert("CMYK").save(OUT / "refused_cmyk.jpg")
    rgb.save(OUT / "lossy.webp", quality=80)
    image.save(OUT / "alpha.webp", lossless=True)
    for path in sorted(OUT.iterdir()):
        if path.name.startswith(("expected_", "refused_")):
            continue
        picture = Image.open(path).convert("RGBA")
        Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB").save(OUT / f"expected_{path.name}.png")


main()
