# SPDX-License-Identifier: Apache-2.0
"""The page of `freeatm view` in headless Chromium, driven by keys and clicks through every control; no error may reach the console:
python tests/report/page_test.py  (FREEATM_BINARY names the program; skipped, 77, where there is no Chromium)"""
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import zlib
import struct

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
KEYS = {"Escape": 27, "Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35}


def png(side=16):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((16 * x, 16 * y, 90)[c] for x in range(side) for c in range(3)) for y in range(side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def counts(mask):
    """COCO's run lengths of a mask that is a list of columns, uncompressed -> compressed."""
    runs, value, length = [], 0, 0
    for pixel in mask:
        if pixel == value:
            length += 1
        else:
            runs.append(length)
            value, length = pixel, 1
    runs.append(length)
    text = ""
    for i, run in enumerate(runs):
        x = run - runs[i - 2] if i > 2 else run
        more = True
        while more:
            part, x = x & 0x1F, x >> 5
            more = x != -1 if part & 0x10 else x != 0
            text += chr((part | 0x20 if more else part) + 48)
    return text


def write_shard(path, pictures=30):
    """Scores of any size, one that is NaN, a phrase without a mask, a broken one, and no maps."""
    scores = [1e308, -1e308, 0.5, float("nan"), 0.25]
    with tarfile.open(path, "w") as tar:
        for i in range(pictures):
            half = [int(x < 4 + i % 8) for x in range(16) for _ in range(16)]
            phrases = [{"text": ["dog", "cat"][i % 2], "role": "thing", "span": [2, 5], "score": scores[i % len(scores)],
                        "segmentation": {"size": [16, 16], "counts": counts(half)}},
                       {"text": "grass", "role": "stuff", "span": [9, 14], "segmentation": {"size": [16, 16], "counts": counts([1 - x for x in half])}}]
            if i == 7:
                del phrases[1]["segmentation"]
            if i == 9:
                phrases[0]["segmentation"]["size"] = [3, 3]
            about = json.dumps({"caption": f"a {phrases[0]['text']} on grass", "phrases": phrases, "seed": i})
            for ending, data in (("png", png()), ("json", about.encode())):
                member = tarfile.TarInfo(f"{i:09}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


class Page:
    """One page, by the debugging protocol over pipes."""

    def __init__(self, url, profile):
        down, up = os.pipe(), os.pipe()

        def hand_over():
            os.dup2(down[0], 103), os.dup2(up[1], 104)
            os.dup2(103, 3), os.dup2(104, 4)

        self.browser = subprocess.Popen([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={profile}",
                                         "--window-size=900,700"], preexec_fn=hand_over, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down[0]), os.close(up[1])
        self.out, self.back, self.number, self.events = down[1], os.fdopen(up[0], "rb"), 0, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask("Page.navigate", url=url)
        self.wait("typeof gallery === 'object' && document.readyState === 'complete'")

    session = None

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": self.session} if self.session else {})}
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            data = b""
            while not data.endswith(b"\0"):
                byte = self.back.read(1)
                if not byte:
                    raise RuntimeError("the browser has ended")
                data += byte
            answer = json.loads(data[:-1])
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def value(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression):
        for _ in range(600):
            if self.value(expression):
                return
            time.sleep(0.05)
        raise RuntimeError(f"never came true: {expression}")

    def press(self, *keys):
        for key in keys:
            known = {"windowsVirtualKeyCode": KEYS.get(key, ord(key[0].upper())), **({} if key in KEYS else {"text": key})}
            self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **known)
            known.pop("text", None)
            self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, **known)
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def click(self, selector):
        place = self.value(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{ block: 'center' }}); "
                           "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="none" if kind == "mouseMoved" else "left", clickCount=1)
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def errors(self):
        """What reached the console since the last call."""
        events, self.events = self.events, []
        bad = []
        for event in events:
            about = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                bad.append(about["exceptionDetails"].get("exception", {}).get("description", about["exceptionDetails"]["text"]))
            elif event.get("method") == "Log.entryAdded" and about["entry"]["level"] == "error":
                bad.append(about["entry"]["text"])
            elif event.get("method") == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
                bad.append(str(about["args"]))
        return bad

    def close(self):
        try:
            self.ask("Browser.close")
        except (RuntimeError, OSError):
            pass
        self.browser.wait(30)
        os.close(self.out), self.back.close()


class View(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        (folder / "h").mkdir()
        write_shard(folder / "h" / "shard-000000.tar")
        subprocess.run([os.environ["FREEATM_BINARY"], "view", f"in={folder}/h", f"out={folder}/page.html"], check=True, capture_output=True)
        cls.page = Page((folder / "page.html").as_uri(), folder / "profile")

    @classmethod
    def tearDownClass(cls):
        cls.page.close()
        cls.folder.cleanup()

    def tearDown(self):
        self.page.value("gallery.large.open && gallery.large.close(); gallery.help.open && gallery.help.close(); gallery.filter.onlyProblems = false; gallery.filter.search(''); 0")
        self.assertEqual(self.page.errors(), [])

    def shown(self):
        return self.page.value("gallery.cards.order.length")

    def test_cards_are_whole_whatever_their_scores(self):
        self.assertEqual(self.shown(), 30)
        self.assertGreater(self.page.value("document.querySelectorAll('.card .phrase').length"), 10)
        self.assertEqual(self.page.value("[...document.querySelectorAll('.card')].filter(card => !card.querySelector('.caption')).length"), 0)
        self.assertNotIn("NaN", self.page.value("document.body.innerText"))

    def test_escape_in_the_filter_clears_field_and_grid(self):
        self.page.press("/", "c", "a", "t")
        self.page.wait("gallery.cards.order.length === 15")
        self.page.press("Escape")
        self.page.wait("gallery.cards.order.length === 30")
        self.assertEqual(self.page.value("document.querySelector('input[name=words]').value"), "")
        self.assertNotEqual(self.page.value("document.activeElement.name ?? ''"), "words")

    def test_leafing_keeps_one_set_of_listeners(self):
        self.page.value("gallery.cards.focus(gallery.cards.order[0]); 0")
        self.page.press("Enter")
        self.assertTrue(self.page.value("gallery.large.open"))
        self.page.press(*["ArrowRight"] * 12, "ArrowLeft", "End", "Home", "p", "m", "s", "m")
        self.page.value("(() => { const light = Lights.prototype.light; window.lit = 0; "
                        "Lights.prototype.light = function (...all) { ++window.lit; return light.apply(this, all); }; })()")
        self.page.press("1")
        self.assertEqual(self.page.value("window.lit"), 1)
        self.page.click(".large button.phrase")
        self.page.press("2", "Escape")
        self.assertFalse(self.page.value("gallery.large.open"))

    def test_every_control_by_keys_and_clicks(self):
        self.page.value("gallery.cards.focus(gallery.cards.order[0]); 0")
        self.page.press("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End", "Home", "1", "2", "9", "Escape", "+", "-", "=", "t", "t", "t", "p", "m", "s", "m")
        self.page.press("?")
        self.assertTrue(self.page.value("gallery.help.open"))
        self.page.press("Escape")
        self.page.press(*["Tab"] * 40)
        for selector in (".theme", "input[name=least]", "input[name=most]", "input[name=side]", "button[name=help]"):
            self.page.click(selector)
            self.page.press("ArrowRight", "ArrowDown", "Home", "End", "Escape")
            self.page.value("gallery.help.open && gallery.help.close(); 0")
        self.page.value("gallery.form.elements.sort.focus(); 0")  # a click would open the system's own list
        for value in ("highest", "lowest", "highest", "index"):
            self.page.press("ArrowDown" if value == "lowest" or self.page.value("gallery.form.elements.sort.value") == "index" else "ArrowUp")
            self.assertEqual(self.page.value("gallery.form.elements.sort.value"), value)
        self.page.press("Escape")
        self.page.value("gallery.form.elements.least.value = gallery.form.elements.least.min; gallery.form.elements.most.value = gallery.form.elements.most.max; "
                        "gallery.update(); 0")
        self.page.click(".status button")
        self.assertEqual(self.shown(), 1)
        self.page.click(".status button")
        self.page.value("document.querySelector('.words').open = true; 0")
        self.page.click(".words li button")
        self.page.press("/", "Escape")
        self.assertEqual(self.shown(), 30)
        self.page.click(".card .picture")
        self.assertTrue(self.page.value("gallery.large.open"))
        self.page.click(".large .close")
        self.assertFalse(self.page.value("gallery.large.open"))


if __name__ == "__main__":
    if BROWSER is None:
        sys.exit(77)
    unittest.main()
