# SPDX-License-Identifier: Apache-2.0
"""freeatm.Shards in PyTorch's loader and torchvision's transforms, on a harvest of the program's."""
import tempfile
import unittest
from pathlib import Path

import freeatm
import torch
from program import run
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2


class Shards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.root = Path(temporary.name) / "h"
        run("harvest", "captions=models/emoji/captions.txt", "count=7", "shard_size=3", "sampler.steps=4", f"out={cls.root}")
        cls.plain = list(freeatm.Shards(cls.root))

    def expect_same(self, sample, other):
        self.assertEqual(sample.keys(), other.keys())
        for key in ("key", "caption", "phrases"):
            self.assertEqual(sample[key], other[key])
        self.assertEqual(sample["image"].tobytes(), other["image"].tobytes())
        self.assertTrue(torch.equal(sample["masks"], other["masks"]))

    def test_are_read_by_index(self):
        dataset = freeatm.Shards(str(self.root))
        self.assertEqual((len(dataset), len(dataset.shards)), (7, 3))
        self.assertEqual([sample["key"] for sample in self.plain], [f"{i:09}" for i in range(7)])
        for index in (6, 0, 3, -1, -7):
            self.expect_same(dataset[index], self.plain[index])
        for index in (7, -8):
            with self.assertRaisesRegex(IndexError, "of 7"):
                dataset[index]
        self.expect_same(freeatm.Shards(self.root / "shard-000001.tar")[0], self.plain[3])

    def test_are_tensors(self):
        for sample in freeatm.Shards(self.root, maps=True):
            self.assertEqual((sample["masks"].dtype, sample["maps"].dtype), (torch.bool, torch.float16))
            self.assertEqual(len(sample["masks"]), len(sample["phrases"]))
            self.assertEqual(len(sample["maps"]), len(sample["tokens"]))
        self.assertTrue(any(sample["masks"].any() for sample in self.plain))

    def test_workers_see_the_same_however_they_begin(self):
        for start in ("fork", "spawn"):
            dataset = freeatm.Shards(self.root)
            dataset[0]  # opens a file before the workers begin
            loader = DataLoader(dataset, batch_size=2, num_workers=2, collate_fn=list, multiprocessing_context=start)
            found = [sample for batch in loader for sample in batch]
            self.assertEqual(len(found), 7)
            for sample, expected in zip(found, self.plain):
                self.expect_same(sample, expected)

    def test_transforms_move_picture_and_masks_together(self):
        both = v2.Compose([v2.RandomHorizontalFlip(p=1), v2.ToImage(), v2.Resize((32, 48)), v2.ToDtype(torch.float32, scale=True)])
        for sample, plain in zip(freeatm.Shards(self.root, transforms=both), self.plain):
            self.assertIsInstance(sample["masks"], tv_tensors.Mask)
            self.assertEqual((sample["image"].shape, sample["masks"].dtype), ((3, 32, 48), torch.bool))
            mirrored = torch.nn.functional.interpolate(plain["masks"].flip(-1)[None].float(), (32, 48))[0].bool()
            self.assertTrue(torch.equal(sample["masks"], mirrored))
            self.assertEqual((sample["phrases"], sample["caption"]), (plain["phrases"], plain["caption"]))

    def test_a_transform_gets_the_picture_alone(self):
        sample = freeatm.Shards(self.root, transform=v2.functional.pil_to_tensor)[2]
        self.assertEqual((sample["image"].dtype, sample["image"].shape[1:]), (torch.uint8, sample["masks"].shape[1:]))
        with self.assertRaisesRegex(ValueError, "give one of them"):
            freeatm.Shards(self.root, transform=str, transforms=dict)


if __name__ == "__main__":
    unittest.main()
