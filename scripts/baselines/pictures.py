# SPDX-License-Identifier: Apache-2.0
"""Small pictures of every kind that the decoders read, each with what PIL makes of it -> tests/vision/data/pictures/

    .deps/judges/bin/python scripts/baselines/pictures.py

expected_NAME.png is `ImageOps.exif_transpose(Image.open(NAME)).convert("RGB")`; draft_SIDE_NAME.png the same after
`draft(None, (SIDE, SIDE))`. PIL writes few kinds of PNG, BMP, GIF, PNM and TIFF, so the script has writers of its own.
Of 16-bit grey in a TIFF, which PIL clips, the high bytes are expected.
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


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def packed(rows, bits):
    """Rows of values, highest bit first, each from a byte's beginning."""
    planes = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits:]
    return [np.packbits(row).tobytes() for row in planes.reshape(len(rows), -1)]


def bmp(rows, width, bits, colors=b"", masks=b"", header=40, top_down=False):
    """rows: bytes of each, from the top; colors: as they stand in the file."""
    rows = [row + bytes(-len(row) % 4) for row in rows]
    height = len(rows)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        entries = len(colors) // 4
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, 3 if masks else 0, 0, 0, 0, entries, 0)
    body = info + masks + bytes(max(0, header - 40 - len(masks))) + colors
    pixels = b"".join(rows if top_down else reversed(rows))
    return b"BM" + struct.pack("<IHHI", 14 + len(body) + len(pixels), 0, 0, 14 + len(body)) + body + pixels


def bmps():
    rgba = channels()
    rgb = Image.fromarray(rgba[..., :3])
    yield "rgb", saved(rgb, "BMP")
    yield "grey", saved(rgb.convert("L"), "BMP")
    yield "bilevel", saved(rgb.convert("1"), "BMP")
    yield "alpha", saved(Image.fromarray(rgba), "BMP")
    bgr = rgba[..., [2, 1, 0]]
    yield "top_down", bmp([row.tobytes() for row in bgr], 26, 24, top_down=True)
    yield "os2", bmp([row.tobytes() for row in bgr], 26, 24, header=12)
    yield "rgb_32", bmp([row.tobytes() for row in rgba[..., [2, 1, 0, 3]]], 26, 32)
    yield "masks_32", bmp([row.tobytes() for row in rgba], 26, 32, masks=struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000), header=56)
    wide = rgba.astype(np.uint16) * 257
    rgb_555 = (wide[..., 0] >> 11 << 10) | (wide[..., 1] >> 11 << 5) | wide[..., 2] >> 11
    rgb_565 = (wide[..., 0] >> 11 << 11) | (wide[..., 1] >> 10 << 5) | wide[..., 2] >> 11
    yield "rgb_555", bmp([row.astype("<u2").tobytes() for row in rgb_555], 26, 16)
    yield "rgb_565", bmp([row.astype("<u2").tobytes() for row in rgb_565], 26, 16, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    for bits in (1, 4, 8):
        colors = np.random.default_rng(bits).integers(0, 256, (2**bits, 4), np.uint8)
        rows = packed(rgba[..., 2] >> (8 - bits), bits)
        yield f"palette_{bits}", bmp(rows, 26, bits, colors.tobytes())
        yield f"palette_{bits}_os2", bmp(rows, 26, bits, colors[:, :3].tobytes(), header=12)
    yield "palette_few", bmp(packed(rgba[..., 2], 8), 26, 8, colors[:100].tobytes())  # pixels of colours that are not there


def gif(indices, screen, at, colors, transparent=None, interlaced=False):
    """indices: [height, width]; screen: its width and height; at: x, y. The codes are never more than 3 bits of data."""
    height, width = indices.shape
    order = [y for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(first, height, step)] if interlaced else range(height)
    bits = []
    for i, index in enumerate(np.concatenate([indices[y] for y in order])):
        codes = [8, index] if i % 6 == 0 else [index]  # 8: begin anew, so that codes keep their four bits
        bits += [int(code) >> bit & 1 for code in codes for bit in range(4)]
    bits += [9 >> bit & 1 for bit in range(4)]  # the end
    data = np.packbits(bits, bitorder="little").tobytes()
    out = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80 | 2, 0, 0) + colors
    if transparent is not None:
        out += b"!\xf9\4" + bytes([1, 0, 0, transparent]) + b"\0"
    out += b"," + struct.pack("<HHHHBB", *at, width, height, 0x40 if interlaced else 0, 3)
    return out + b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255)) + b"\0;"


def gifs():
    rgb = Image.fromarray(channels()[..., :3])
    yield "palette", saved(rgb.quantize(40), "GIF")
    yield "grey", saved(rgb.convert("L"), "GIF")
    yield "transparent", saved(rgb.quantize(8), "GIF", transparency=3, comment=b"a comment")
    colors = np.random.default_rng(0).integers(0, 256, 24, np.uint8).tobytes()
    indices = channels(11, 13)[..., 2] >> 5
    yield "interlaced", gif(indices, (13, 11), (0, 0), colors, interlaced=True)
    yield "smaller_than_screen", gif(indices, (20, 14), (3, 2), colors)
    yield "transparent_screen", gif(indices, (20, 14), (3, 2), colors, transparent=5)
    yield "larger_than_screen", gif(indices, (5, 4), (3, 2), colors)


def pnms():
    values = channels()
    rgb = Image.fromarray(values[..., :3])
    yield "bits.pbm", saved(rgb.convert("1"), "PPM")
    yield "grey.pgm", saved(rgb.convert("L"), "PPM")
    yield "rgb.ppm", saved(rgb, "PPM")

    def binary(kind, most, numbers, dtype):
        return b"P%d # a comment\n26 19\n%d\n" % (kind, most) + numbers.astype(dtype).tobytes()

    yield "grey_15.pgm", binary(5, 15, values[..., 0] >> 4, "u1")
    yield "more_than_most.pgm", binary(5, 100, values[..., 0], "u1")
    yield "rgb_1000.ppm", binary(6, 1000, values[..., :3].astype(int) * 1000 // 255, ">u2")
    yield "rgb_16.ppm", binary(6, 65535, values[..., :3].astype(int) * 256 + 255 - values[..., :3], ">u2")

    def text(kind, most, numbers):
        lines = [" ".join(map(str, row)) for row in numbers.reshape(len(numbers), -1)]
        return f"P{kind}\n# a comment\n{numbers.shape[1]} {numbers.shape[0]}\n{most}\n".encode() + "  # another\n".join(lines).encode() + b"\n"

    small = values[:5, :9]
    yield "grey_text.pgm", text(2, 99, small[..., 0] % 100)
    yield "rgb_text.ppm", text(3, 255, small[..., :3])
    yield "bits_text.pbm", b"P1\n4 3\n0110\n1 0 0 1 # a comment\n10 11\n"


def tiff(values, photometric, bits=8, order="<", tile=None, planar=False, extra=(), tags=(), compress=1):
    """values: [height, width, samples]; tile: its side; tags: (tag, kind, values) of more. compress: 1 none, 8 deflate."""
    height, width, samples = values.shape
    planes = [values[..., i:i + 1] for i in range(samples)] if planar else [values]
    blocks = []
    for plane in planes:
        side_y, side_x = (tile, tile) if tile else (7, width)
        for y in range(0, height, side_y):
            for x in range(0, width, side_x):
                block = plane[y:y + side_y, x:x + side_x]
                if tile:
                    block = np.pad(block, ((0, tile - block.shape[0]), (0, tile - block.shape[1]), (0, 0)))
                rows = [row.astype(order + "u2").tobytes() for row in block] if bits == 16 else packed(block, bits)
                blocks.append(zlib.compress(b"".join(rows)) if compress == 8 else b"".join(rows))
    starts = np.cumsum([8, *map(len, blocks)]).tolist()
    layout = [(322, 4, [tile]), (323, 4, [tile]), (324, 4, starts[:-1]), (325, 4, [*map(len, blocks)])]
    if not tile:
        layout = [(273, 4, starts[:-1]), (278, 4, [7]), (279, 4, [*map(len, blocks)])]
    entries = [(256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * samples), (259, 3, [compress]), (262, 3, [photometric]),
               (277, 3, [samples]), (284, 3, [2 if planar else 1]), *layout, *tags]
    if extra:
        entries.append((338, 3, list(extra)))
    folder, more = b"", b""
    behind = starts[-1] + 6 + 12 * len(entries)
    for tag, kind, numbers in sorted(entries):
        data = struct.pack(f"{order}{len(numbers)}{'HI'[kind - 3]}", *numbers)
        if len(data) > 4:
            data, more = struct.pack(order + "I", behind + len(more)), more + data
        folder += struct.pack(order + "HHI", tag, kind, len(numbers)) + data.ljust(4, b"\0")
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, starts[-1])
    return header + b"".join(blocks) + struct.pack(order + "H", len(entries)) + folder + bytes(4) + more


def tiffs():
    eight = channels()
    wide = eight.astype(np.uint16) * 256 + (255 - eight)
    rgb, rgba = Image.fromarray(eight[..., :3]), Image.fromarray(eight)
    yield "rgb", saved(rgb, "TIFF")
    yield "rgb_big", saved(rgb, "TIFF", big_tiff=True)
    for name in ("lzw", "adobe_deflate", "deflate", "zstd", "lzma"):
        yield f"rgb_{name}", saved(rgb, "TIFF", compression=name if name in ("zstd", "lzma") else f"tiff_{name}")
    yield "rgb_packbits", saved(rgb, "TIFF", compression="packbits")
    yield "rgb_predicted", saved(rgb, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    yield "jpeg", saved(rgb, "TIFF", compression="jpeg", quality=80)
    yield "jpeg_grey", saved(rgb.convert("L"), "TIFF", compression="jpeg", quality=80)
    for name in ("group3", "group4", "tiff_ccitt"):
        yield name, saved(rgb.convert("1"), "TIFF", compression=name)
    yield "bilevel", saved(rgb.convert("1"), "TIFF")
    yield "grey", saved(rgb.convert("L"), "TIFF")
    yield "grey_alpha", saved(rgba.convert("LA"), "TIFF")
    yield "alpha", saved(rgba, "TIFF")
    yield "palette", saved(rgb.quantize(40), "TIFF")
    yield "cmyk", saved(rgb.convert("CMYK"), "TIFF")
    yield "two_pages", saved(rgb, "TIFF", save_all=True, append_images=[rgb.rotate(90)])
    for value in range(1, 9):
        yield f"orientation_{value}", saved(rgb, "TIFF", tiffinfo={274: value}, compression="tiff_lzw")
    yield "orientation_9", tiff(eight[..., :3], 2, tags=[(274, 3, [9])])
    for order in "<>":
        end = "le" if order == "<" else "be"
        yield f"rgb_16_{end}", tiff(wide[..., :3], 2, 16, order)
        yield f"grey_16_{end}", tiff(wide[..., :1], 1, 16, order)
    yield "rgb_16_deflated", tiff(wide[..., :3], 2, 16, ">", compress=8)
    yield "alpha_16", tiff(wide, 2, 16, extra=[2])
    yield "cmyk_16", tiff(wide, 5, 16)
    yield "tiles", tiff(eight[..., :3], 2, tile=16)
    yield "tiles_deflated", tiff(eight[..., :3], 2, tile=16, compress=8)
    yield "planes", tiff(eight[..., :3], 2, planar=True, compress=8)
    yield "planes_of_tiles", tiff(eight, 2, planar=True, tile=16, compress=8, extra=[2])
    yield "premultiplied", tiff(eight, 2, extra=[1])
    yield "premultiplied_16", tiff(wide, 2, 16, extra=[1])
    yield "more_samples", tiff(eight[..., [0, 1, 2, 3, 3]], 2, extra=[0, 0])
    yield "alpha_unsaid", tiff(eight, 2)
    for bits in (1, 2, 4, 8):
        yield f"grey_{bits}", tiff(eight[..., 2:3] >> (8 - bits), 1, bits)
        yield f"white_is_zero_{bits}", tiff(eight[..., 2:3] >> (8 - bits), 0, bits)
        colors = np.random.default_rng(bits).integers(0, 65536, 3 * 2**bits).tolist()
        yield f"palette_{bits}", tiff(eight[..., 2:3] >> (8 - bits), 3, bits, tags=[(320, 3, colors)])


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
    groups = [(pngs(), ".png", ()), (jpegs(), ".jpg", ()), (webps(), ".webp", ()), (bmps(), ".bmp", ()), (gifs(), ".gif", ()), (pnms(), "", ()),
              (tiffs(), ".tif", ()), (large_jpegs(), ".jpg", (11, 22, 44, 45, 100))]
    for files, ending, sides in groups:
        for stem, data in files:
            (OUT / f"{stem}{ending}").write_bytes(data)
            for side in (None, *sides):
                picture = Image.open(io.BytesIO(data))
                if side:
                    picture.draft(None, (side, side))
                if picture.mode.startswith("I;16"):
                    picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
                kind = f"draft_{side}" if side else "expected"
                ImageOps.exif_transpose(picture).convert("RGB").save(OUT / f"{kind}_{stem}{ending}.png", optimize=True)


if __name__ == "__main__":
    main()
