# SPDX-License-Identifier: Apache-2.0
"""Small pictures of every kind that the decoders read, each with what PIL makes of it -> tests/vision/data/pictures/

    .deps/judges/bin/python scripts/baselines/pictures.py

expected_NAME.png is `ImageOps.exif_transpose(Image.open(NAME)).convert("RGB")`; draft_SIDE_NAME.png the same after
`draft(None, (SIDE, SIDE))`. PIL writes few kinds of PNG, so the script has a writer of its own.
"""
import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

OUT = Path(__file__).resolve().parents[2] / "tests/vision/data/pictures"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # PNG's colour types
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]  # x, y, their steps


def channels(height=19, width=26):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 9, y * 13, (x * y) % 256, np.clip(x * 14 - 40, 0, 255)], -1).astype(np.uint8)


def png(values, color_type, depth=8, interlaced=False, extra=()):
    """values: [height, width, channels], each less than 2 ** depth; extra: (kind, data) of chunks before the pixels."""
    height, width, _ = values.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def row_bytes(row):
        if depth == 16:
            return row.astype(">u2").tobytes()
        bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth:]
        return np.packbits(bits).tobytes()

    passes = [values[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [values]
    pixels = b"".join(b"\0" + row_bytes(row) for part in passes for row in part if part.size)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


def orientation(value, order="<", kind=3, before=()):
    """An EXIF block with an orientation; kind: 3 SHORT, 4 LONG, 8 and 9 signed; before: tags of other SHORTs."""
    number = {3: "HH", 4: "I", 8: "hH", 9: "i"}[kind]
    entries = b"".join(struct.pack(order + "HHIHH", tag, 3, 1, 1, 0) for tag in before)
    entries += struct.pack(order + "HHI" + number, 0x0112, kind, 1, *([value, 0] if len(number) == 2 else [value]))
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 1 + len(before)) + entries + b"\0\0\0\0"


def with_fill(data, count):
    """A JPEG with 0xff bytes in front of its APP1 marker, which is legal."""
    at = data.index(b"\xff\xe1")
    return data[:at] + b"\xff" * count + data[at:]


def pngs():
    eight = channels()
    wide = eight.astype(np.uint16) * 256 + (255 - eight)  # the low byte is the high one's complement
    yield "rgb", png(eight[..., :3], RGB)
    yield "rgb_interlaced", png(eight[..., :3], RGB, interlaced=True)
    yield "rgb_tiny_interlaced", png(eight[:3, 5:7, :3], RGB, interlaced=True)  # passes without a pixel
    yield "alpha", png(eight, RGBA)
    yield "alpha_interlaced", png(eight, RGBA, interlaced=True)
    yield "grey", png(eight[..., :1], GREY)
    yield "grey_alpha", png(eight[..., [0, 3]], GREY_ALPHA)
    yield "rgb_16", png(wide[..., :3], RGB, 16)
    yield "rgb_16_interlaced", png(wide[..., :3], RGB, 16, interlaced=True)
    yield "alpha_16", png(wide, RGBA, 16)
    yield "grey_alpha_16", png(wide[..., [0, 3]], GREY_ALPHA, 16)
    yield "rgb_transparent_color", png(eight[..., :3], RGB, extra=[(b"tRNS", struct.pack(">HHH", 9, 13, 1))])
    yield "grey_transparent_color", png(eight[..., :1], GREY, extra=[(b"tRNS", struct.pack(">H", 18))])
    yield "exif", png(eight[..., :3], RGB, extra=[(b"eXIf", orientation(6))])
    yield "exif_long", png(eight[..., :3], RGB, extra=[(b"eXIf", orientation(6, "<", 4))])
    for depth in (1, 2, 4):
        yield f"grey_{depth}", png(eight[..., :1] >> (8 - depth), GREY, depth, interlaced=depth == 2)
    for depth in (1, 2, 4, 8):
        colors = np.random.default_rng(depth).integers(0, 256, (2**depth, 3), np.uint8)
        palette = [(b"PLTE", colors.tobytes())]
        indices = eight[..., 2:3] >> (8 - depth)
        yield f"palette_{depth}", png(indices, PALETTE, depth, interlaced=depth == 4, extra=palette)
        yield f"palette_{depth}_transparent", png(indices, PALETTE, depth, extra=[*palette, (b"tRNS", bytes([0, 128]))])


def jpeg(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def jpegs():
    rgb = Image.fromarray(channels()[..., :3])
    yield "rgb", jpeg(rgb, quality=90, subsampling=0)
    yield "subsampled", jpeg(rgb, quality=70, subsampling=2)
    yield "subsampled_422", jpeg(rgb, quality=70, subsampling=1)
    yield "progressive", jpeg(rgb, quality=80, progressive=True)
    yield "restarts", jpeg(rgb, quality=80, restart_marker_blocks=2)
    yield "stored_as_rgb", jpeg(rgb, quality=90, keep_rgb=True)
    yield "grey", jpeg(rgb.convert("L"))
    cmyk = jpeg(rgb.convert("CMYK"), quality=90)
    yield "cmyk", cmyk
    adobe = cmyk.index(b"Adobe")  # version, two flags of two bytes each, then the colour transform
    yield "ycck", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :]
    yield "cmyk_without_adobe", cmyk[: adobe - 4] + cmyk[adobe + 12 :]
    odd = bytearray(jpeg(Image.fromarray(channels(16, 48)[..., :3]), quality=80, subsampling=0))
    for component in range(3):  # in the frame header: id, sampling factors, table
        odd[odd.index(b"\xff\xc0") + 11 + 3 * component] = 0x31
    yield "sampled_3x1", bytes(odd)
    for value in range(1, 9):
        yield f"exif_{value}", jpeg(rgb, quality=90, exif=b"Exif\0\0" + orientation(value, "<>"[value % 2]))
    plain = b"Exif\0\0" + orientation(6)
    yield "exif_fill_1", with_fill(jpeg(rgb, quality=90, exif=plain), 1)
    yield "exif_fill_5", with_fill(jpeg(rgb, quality=90, exif=plain), 5)
    yield "exif_behind_comment", jpeg(rgb, quality=90, exif=plain, comment=b"a comment")
    for kind in (4, 8, 9):
        for order in "<>":
            yield f"exif_kind_{kind}{'le' if order == '<' else 'be'}", jpeg(rgb, quality=90, exif=b"Exif\0\0" + orientation(8, order, kind))
    yield "exif_third_entry", jpeg(rgb, quality=90, exif=b"Exif\0\0" + orientation(3, ">", 3, (0x0100, 0x0101)))
    yield "exif_9", jpeg(rgb, quality=90, exif=b"Exif\0\0" + orientation(9))
    yield "exif_cut", jpeg(rgb, quality=90, exif=b"Exif\0\0" + orientation(3)[:13])


def webps():
    rgba = Image.fromarray(channels())
    for name, image, options in [
        ("lossy", rgba.convert("RGB"), {"quality": 80}),
        ("lossless", rgba.convert("RGB"), {"lossless": True}),
        ("alpha_lossy", rgba, {"quality": 80}),
        ("alpha_lossless", rgba, {"lossless": True, "exact": True}),
        ("exif", rgba.convert("RGB"), {"lossless": True, "exif": orientation(5)}),
        ("exif_long", rgba.convert("RGB"), {"lossless": True, "exif": orientation(5, ">", 4)}),
    ]:
        stream = io.BytesIO()
        image.save(stream, "WebP", **options)
        yield name, stream.getvalue()


def large_jpegs():
    """Read at a part of their size."""
    y, x = np.mgrid[0:89, 0:131]
    noise = np.random.default_rng(0).normal(0, 8, (89, 131, 3))
    waves = np.stack([np.sin(x / 9) * 80 + 120, np.cos(y / 7) * 80 + 120, (x + y) * 0.7], -1)
    rgb = Image.fromarray(np.clip(waves + noise, 0, 255).astype(np.uint8))
    yield "large", jpeg(rgb, quality=60)
    yield "large_progressive", jpeg(rgb, quality=60, progressive=True, exif=b"Exif\0\0" + orientation(6))
    yield "large_cmyk", jpeg(rgb.convert("CMYK"), quality=50)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    groups = [(pngs(), "png", ()), (jpegs(), "jpg", ()), (webps(), "webp", ()), (large_jpegs(), "jpg", (11, 22, 44, 45, 100))]
    for files, ending, sides in groups:
        for stem, data in files:
            (OUT / f"{stem}.{ending}").write_bytes(data)
            for side in (None, *sides):
                picture = Image.open(io.BytesIO(data))
                if side:
                    picture.draft(None, (side, side))
                kind = f"draft_{side}" if side else "expected"
                ImageOps.exif_transpose(picture).convert("RGB").save(OUT / f"{kind}_{stem}.{ending}.png", optimize=True)


if __name__ == "__main__":
    main()
