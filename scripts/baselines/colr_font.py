# SPDX-License-Identifier: Apache-2.0
"""A font with one emoji as COLRv1 vectors and no bitmaps, as newer Noto Color Emoji files are -> tests/data/data/colrv1.ttf.

    python -m pip install fonttools; python scripts/baselines/colr_font.py
"""
import pathlib

from fontTools.colorLib.builder import buildCOLR, buildCPAL
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables import otTables

OUT = pathlib.Path(__file__).parents[2] / "tests/data/data/colrv1.ttf"


def square():
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 1000), (1000, 1000), (1000, 0)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


names = [".notdef", "dog"]
font = FontBuilder(1000, isTTF=True)
font.setupGlyphOrder(names)
font.setupCharacterMap({0x1F436: "dog"})
font.setupGlyf({name: square() for name in names})
font.setupHorizontalMetrics({name: (1000, 0) for name in names})
font.setupHorizontalHeader(ascent=1000, descent=0)
font.setupNameTable({"familyName": "freeatm test", "styleName": "Regular"})
font.setupOS2()
font.setupPost()
paint = {"Format": otTables.PaintFormat.PaintSolid, "PaletteIndex": 0, "Alpha": 1.0}
font.font["COLR"] = buildCOLR({"dog": {"Format": otTables.PaintFormat.PaintGlyph, "Paint": paint, "Glyph": "dog"}})
font.font["CPAL"] = buildCPAL([[(1, 0, 0, 1)]])
OUT.parent.mkdir(exist_ok=True)
font.save(OUT)
