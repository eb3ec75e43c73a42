#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The README's picture of a page that `freeatm view` wrote, one word lit: scripts/screenshot_view.py h.html docs/images/view.png [card] [phrase]"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

SIZE = "1200,845"

page, out = map(pathlib.Path, sys.argv[1:3])
card, phrase = map(int, sys.argv[3:] + ["2", "0"][len(sys.argv) - 3:])
browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if browser is None:
    sys.exit("skipped: no chromium or google-chrome here")
with tempfile.TemporaryDirectory() as folder:
    lit = pathlib.Path(folder, "page.html")
    lit.write_text(page.read_text() + f"<script>setTimeout(() => gallery.cards.shown.get({card}).lights.light({{ phrase: {phrase} }}), 500);</script>\n")
    subprocess.run([browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=3000", f"--user-data-dir={folder}/profile",
                    f"--window-size={SIZE}", f"--screenshot={out.resolve()}", lit.as_uri()], check=True, capture_output=True)
print(f"{out}: {out.stat().st_size // 1024} KB")
