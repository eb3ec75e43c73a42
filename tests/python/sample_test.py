# SPDX-License-Identifier: Apache-2.0
"""Shards as the program writes them, and as it must not: all of freeatm.Shards that needs no torch."""
import io
import json
import os
import pickle
import tarfile
import tempfile
import threading
import unittest
from pathlib import Path

import numpy as np
from freeatm import Phrase
from freeatm._sample import character_span, read_sample
from freeatm._tar import Shard, open_shards
from PIL import Image
from program import run
from pycocotools import mask as coco

CAPTIONS = [
    {"caption": "für einen Hund – dog – auf grünem Gras", "phrases": [{"text": "dog"}, {"text": "grünem Gras", "role": "stuff"}]},
    {"caption": "a cat and a dog on grass"},
    {"caption": "犬 dog 🐕", "phrases": [{"text": "犬"}, {"text": "dog"}]},
]


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)


class Harvest(unittest.TestCase):
    """One harvest for all of them."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        captions = Path(temporary.name) / "captions.jsonl"
        captions.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in CAPTIONS))
        cls.root = Path(temporary.name) / "h"
        run("harvest", f"captions={captions}", "count=3", "sampler.steps=4", f"out={cls.root}")
        cls.shards = open_shards(cls.root)

    def samples(self, with_maps=False):
        return [read_sample(shard, i, with_maps) for shard in self.shards for i in range(len(shard))]

    def test_has_its_captions_and_spans_of_characters(self):
        samples = self.samples()
        self.assertEqual([s["key"] for s in samples], ["000000000", "000000001", "000000002"])
        self.assertEqual([s["caption"] for s in samples], [line["caption"] for line in CAPTIONS])
        texts = [[phrase.text for phrase in s["phrases"]] for s in samples]
        self.assertEqual(texts, [["dog", "grünem Gras"], ["cat", "dog", "grass"], ["犬", "dog"]])
        for sample in samples:
            for phrase in sample["phrases"]:
                self.assertEqual(sample["caption"][slice(*phrase.span)], phrase.text)
        self.assertEqual([phrase.role for phrase in samples[0]["phrases"]], ["thing", "stuff"])

    def test_masks_boxes_and_scores_are_those_of_its_json(self):
        for sample in self.samples():
            with tarfile.open(self.root / "shard-000000.tar") as tar:
                told = json.load(tar.extractfile(sample["key"] + ".json"))
            self.assertEqual(sample["masks"].shape, (len(told["phrases"]), *sample["image"].size[::-1]))
            self.assertEqual(sample["masks"].dtype, bool)
            for mask, phrase, entry in zip(sample["masks"], sample["phrases"], told["phrases"], strict=True):
                np.testing.assert_array_equal(mask, coco.decode(entry["segmentation"]).astype(bool))
                self.assertEqual(list(phrase.box), list(coco.toBbox(entry["segmentation"])))
                self.assertEqual((phrase.score, list(phrase.tokens)), (entry["score"], entry["tokens"]))
                self.assertEqual(mask.sum(), entry["area"])

    def test_maps_have_a_row_for_each_token(self):
        for sample in self.samples(with_maps=True):
            self.assertEqual(sample["maps"].dtype, np.float16)
            self.assertEqual(len(sample["tokens"]), len(sample["maps"]))
            for phrase in sample["phrases"]:
                self.assertTrue(all(sample["tokens"][token] for token in phrase.tokens))
        self.assertNotIn("maps", self.samples()[0])

    def test_processes_and_threads_share_a_shard(self):
        expected = self.samples()[2]["masks"]
        copy = pickle.loads(pickle.dumps(self.shards[0]))
        np.testing.assert_array_equal(read_sample(copy, 2, False)["masks"], expected)
        shard = self.shards[0]
        places = [shard.members(i)["png"] for i in range(3)]
        pictures = [shard.read(*place) for place in places]  # opens the file
        wrong = []

        def read_often():
            wrong.extend(i for i in range(30000) if shard.read(*places[i % 3]) != pictures[i % 3])

        threads = [threading.Thread(target=read_often) for _ in range(2)]
        process = os.fork()
        if process == 0:
            read_often()
            os._exit(len(wrong) > 0)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((wrong, os.waitpid(process, 0)[1]), ([], 0))


def picture(width=4, height=3):
    data = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(data, "png")
    return data.getvalue()


def description(**other):
    phrase = {"text": "dog", "role": "thing", "span": [2, 5], "segmentation": {"size": [3, 4], "counts": "<"}} | other
    return json.dumps({"caption": "a dog", "phrases": [phrase]}).encode()


def write(path, members, format=tarfile.USTAR_FORMAT):
    with tarfile.open(path, "w", format=format) as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


class Tars(Folder):
    def test_of_other_programs(self):
        long = "d" * 120 + "/" + "é" * 80
        for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            shard = Shard(write(self.folder / "a.tar", {"./1.x/7.png": picture(), "./1.x/7.txt": "ein Bär".encode(),
                                                        f"{long}.png": picture(5, 6), f"{long}.seg.npy": b"?"}, format))
            self.assertEqual(list(shard.keys), ["./1.x/7", long])
            self.assertEqual(list(shard.members(1)), ["png", "seg.npy"])
            first, second = (read_sample(shard, i, False) for i in range(2))
            self.assertEqual((first["caption"], first["phrases"], first["masks"].shape), ("ein Bär", [], (0, 3, 4)))
            self.assertEqual((second["caption"], second["image"].size, second["key"]), ("", (5, 6), long))

    def test_cut_off_or_damaged_are_refused_by_name(self):
        path = write(self.folder / "a.tar", {"1.png": picture(), "2.png": picture()})
        whole = path.read_bytes()
        broken = {
            "nothing": b"",
            "text": b"no tar " * 200,
            "cut off in a member": whole[:600],
            "cut off between members": whole[:1024],
            "a header is damaged": whole[:1024] + b"#" + whole[1025:],
        }
        for name, data in broken.items():
            path.write_bytes(data)
            with self.subTest(name), self.assertRaisesRegex(ValueError, r"a\.tar: root: is (no tar file|cut off)"):
                Shard(path)

    def test_changed_while_they_are_read_are_refused(self):
        path = write(self.folder / "a.tar", {"1.png": picture()})
        shard = Shard(path)
        os.truncate(path, 600)
        with self.assertRaisesRegex(ValueError, r"a\.tar/1\.png: the shard was written anew"):
            read_sample(shard, 0, False)
        shard = Shard(write(path, {"1.png": picture()}))
        read_sample(shard, 0, False)
        os.truncate(path, 520)  # while it is held open
        with self.assertRaisesRegex(ValueError, r"a\.tar/1\.png: the shard is cut off"):
            read_sample(shard, 0, False)

    def test_more_shards_than_files_may_be_open(self):
        for i in range(80):
            write(self.folder / f"{i:03}.tar", {f"{i}.png": picture(1 + i, 2)})
        write(self.folder / ".100.tar", {"half.png": b"a pending one"})
        shards, before = open_shards(self.folder), len(os.listdir("/proc/self/fd"))
        self.assertEqual([read_sample(shard, 0, False)["image"].width for shard in shards], list(range(1, 81)))
        self.assertLessEqual(len(os.listdir("/proc/self/fd")) - before, 64)

    def test_folders_without_shards_are_refused(self):
        with self.assertRaisesRegex(FileNotFoundError, "none: root: no such folder"):
            open_shards(self.folder / "none")
        with self.assertRaisesRegex(FileNotFoundError, r"root: holds no shards \(\*\.tar\)"):
            open_shards(self.folder)


class Samples(Folder):
    def read(self, with_maps=False, **members):
        named = {"1." + name.replace("_", "."): data for name, data in members.items()}
        return read_sample(Shard(write(self.folder / "a.tar", named)), 0, with_maps)

    def test_of_little_are_whole(self):
        sample = self.read(png=picture(), json=description())
        self.assertEqual(sample["phrases"], [Phrase("dog", "thing", (2, 5), (), 0.0, None)])
        self.assertEqual(sample["masks"].sum(), 0)

    def test_pictures_may_be_of_any_kind_that_the_program_reads(self):
        for ending, kind in (("bmp", "BMP"), ("tif", "TIFF"), ("gif", "GIF"), ("ppm", "PPM")):
            data = io.BytesIO()
            Image.new("RGB", (4, 3), "red").save(data, kind)
            self.assertEqual(self.read(**{ending: data.getvalue(), "json": description()})["image"].size, (4, 3))

    def test_wrong_ones_are_refused_by_file_and_key(self):
        right = {"size": [3, 4], "counts": "<"}
        cases = {
            r"1: has no picture": {"json": description()},
            r"1\.png: is no whole picture": {"png": picture()[:40]},
            r"1\.txt: 'utf-8'": {"png": picture(), "txt": b"\xff"},
            r"1\.json: Expecting value": {"json": b"?"},
            r"1\.json: is nested too deeply": {"json": b"[" * 100000},
            r"1\.json: caption: 5 is of another type": {"json": b'{"caption": 5}'},
            r"1\.json: phrases\[0\]\.text: is missing": {"json": description(text=None)},
            r"1\.json: phrases\[0\]\.span: \[2\], where 2 numbers": {"json": description(span=[2])},
            r"1\.json: phrases\[0\]\.span: \[2, 9\) lies outside of 'a dog'": {"json": description(span=[2, 9])},
            r"1\.json: phrases\[0\]\.span: \[2, 2\.5\], where": {"json": description(span=[2, 2.5])},
            r"1\.json: phrases\[0\]\.bbox: \[1\], where 4": {"json": description(bbox=[1])},
            r"1\.json: phrases\[0\]\.segmentation: counts: is missing": {"json": description(segmentation={"size": [3, 4]})},
            r"segmentation: a mask of 3x4 for a picture of 4x3": {"json": description(segmentation=right | {"size": [4, 3]})},
            r"segmentation: the run lengths do not fill 4x3": {"json": description(segmentation=right | {"counts": "6"})},
        }
        for message, members in cases.items():
            if "has no picture" not in message:
                members = {"png": picture()} | members
            with self.subTest(message), self.assertRaisesRegex(ValueError, r"a\.tar/" + (message if message[0] == "1" else ".*" + message)):
                self.read(**members)

    def test_maps_that_are_not_there_or_broken(self):
        told = b'{"tokens": [{"text": "dog"}]}'
        array = io.BytesIO()
        np.save(array, np.ones((1, 2, 2), np.float32))
        for message, members in {"is not in the shard": {}, "float32": {"maps_npy": array.getvalue()},
                                 "EOF": {"maps_npy": b""}, "magic": {"maps_npy": b"PK\3\4 no npy at all"}}.items():
            with self.subTest(message), self.assertRaisesRegex(ValueError, rf"a\.tar/1\.maps\.npy: .*{message}"):
                self.read(True, png=picture(), json=told, **members)


class Spans(unittest.TestCase):
    def test_bytes_become_characters(self):
        caption = "日本 Bär🐕!"
        encoded = caption.encode()
        for text in ("日", "本 B", "är", "🐕", "🐕!", ""):
            begin = encoded.find(text.encode())
            start, end = character_span(caption, begin, begin + len(text.encode()))
            self.assertEqual(caption[start:end], text)
        with self.assertRaisesRegex(ValueError, r"\[0, 1\) cuts a character of"):
            character_span(caption, 0, 1)
        with self.assertRaisesRegex(ValueError, r"\[0, 99\) lies outside"):
            character_span(caption, 0, 99)


if __name__ == "__main__":
    unittest.main()
