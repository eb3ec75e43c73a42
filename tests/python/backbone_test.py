# SPDX-License-Identifier: Apache-2.0
"""Backbones in timm and torchvision: the features that the C++ models give (tests/models/data), and runs of the program's."""
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import freeatm
import numpy as np
import torch
from freeatm._models import BUILD
from freeatm._run import Run
from PIL import Image
from program import ROOT, run
from safetensors.torch import load_file, save_file

sys.path.append(str(ROOT / "scripts/baselines"))
from cases import sampled, tensor  # noqa: E402
from hash_weights import hash_array  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def make_run(self, name, options, tensors, averages=None):
        """A run folder as the program writes it."""
        step = self.folder / name / "checkpoints/step_7"
        step.mkdir(parents=True)
        files = {"model.safetensors": tensors} | ({"ema.safetensors": averages} if averages else {})
        for file, content in files.items():
            save_file({key: value.contiguous() for key, value in content.items()}, step / file)
        (step / "manifest.json").write_text(json.dumps({"files": {file: {"size": (step / file).stat().st_size} for file in files}}))
        (step.parent / "latest").write_text("step_7\n")
        (self.folder / name / "config.yaml").write_text(json.dumps({"model": options, "seed": 0}))  # JSON is YAML
        return self.folder / name


def hashed(shapes):
    """As hash_weights.fill_with_hash(module, 0.1) would fill a module with these tensors."""
    return {f"backbone.{name}": torch.from_numpy(hash_array(name, shape, 0.1))
            + (1.0 if len(shape) == 1 and name.endswith(("weight", "running_var")) else 0.0) for name, shape in shapes.items()}


def timm_model(options):
    return BUILD[options["name"], "timm"](Run(Path("config.yaml"), Path("step_7"), options))


class Parity(Folder):
    """The values that tests/models/{resnet,vit}_test.cpp hold the C++ models to, with the same weights under freeatm's names."""

    def expect_features(self, table, case, into):
        data = json.loads((ROOT / f"tests/models/data/{table}_cases.json").read_text())[case]
        values = load_file(ROOT / f"tests/models/data/{table}_cases.safetensors")
        expected = values[f"{case}/{'eval_features' if table == 'resnet' else 'features'}"]
        options = {"name": table, **data["options"]}
        # Names and shapes are timm's (tests/models: HasTimmsNames); only they are taken from it here.
        shapes = {name: tuple(value.shape) for name, value in timm_model(options).state_dict().items() if "num_batches" not in name}
        model = freeatm.load_backbone(self.make_run(f"{case}.{into}", options, hashed(shapes)), into)
        self.assertTrue(type(model).__module__.startswith(into))
        self.assertFalse(model.training)
        with torch.no_grad():
            found = sampled(model(tensor("images", *data["shape"])))
        self.assertLessEqual(((found - expected).abs().max() / expected.abs().max()).item(), 1e-5)

    def test_resnets(self):
        cases = {"resnet18": 2, "resnet34": 2, "resnet50": 2, "resnet50_dilated": 2, "resnet18_cifar": 2, "resnet10_nano": 1}
        for case, targets in cases.items():
            for into in ("timm", "torchvision")[:targets]:
                with self.subTest(case, into=into):
                    self.expect_features("resnet", case, into)

    def test_vits(self):
        cases = {"nano": 2, "tiny": 2, "nano_mean": 1, "nano_without_token": 1, "nano_wide_picture": 1, "small": 1, "base_two_blocks": 1}
        for case, targets in cases.items():
            for into in ("timm", "torchvision")[:targets]:
                with self.subTest(case, into=into):
                    self.expect_features("vit", case, into)


    def test_timm_and_torchvision_agree_where_no_value_is_stored(self):
        for stem, output_stride in (("3x3", 4), ("3x3", 16), ("cifar", 4)):
            options = NANO | {"block": "bottleneck", "width": 64, "stem": stem, "output_stride": output_stride}
            shapes = {name: tuple(value.shape) for name, value in timm_model(options).state_dict().items() if "num_batches" not in name}
            run = self.make_run(f"{stem}.{output_stride}", options, hashed(shapes))
            with self.subTest(stem, output_stride=output_stride), torch.no_grad():
                one, other = (freeatm.load_backbone(run, into)(tensor("images", 1, 3, 32, 32)) for into in ("timm", "torchvision"))
                self.assertLessEqual(((one - other).abs().max() / one.abs().max()).item(), 1e-5)


NANO = {"name": "resnet", "depths": [1, 1, 1, 1], "block": "basic", "width": 16, "stem": "3x3", "output_stride": 8}
VIT = {"name": "vit", "image_size": 32, "patch_size": 8, "dim": 16, "depth": 2, "heads": 2, "mlp_ratio": 4.0, "class_token": True,
       "global_pool": "token", "positions": "learned", "freeze_patch_embed": False}


class Refusals(Folder):
    def expect_refused(self, message, path, into="timm"):
        for read in (freeatm.load_backbone, freeatm.state_dict):
            with self.subTest(message, read=read.__name__), self.assertRaisesRegex((ValueError, FileNotFoundError), message):
                read(path, into)

    def test_what_is_no_run(self):
        self.expect_refused("into: 'jax' is neither 'timm' nor 'torchvision'", self.folder, "jax")
        self.expect_refused("none: no such folder", self.folder / "none")
        self.expect_refused("is neither a run folder", self.folder)
        run = self.make_run("p", NANO, {"backbone.a": torch.ones(1)})
        self.expect_refused("model.safetensors: is neither a run folder", run / "checkpoints/step_7/model.safetensors")
        for text, message in {"seed: 0": "model: has no resnet or vit", "- 5": "is no config", "a: [": "is no config"}.items():
            (run / "config.yaml").write_text(text)
            self.expect_refused(f"config.yaml: {message}", run)

    def test_checkpoints_that_are_not_whole(self):
        run = self.make_run("p", NANO, {"backbone.a": torch.ones(1)})
        step = run / "checkpoints/step_7"
        model = (step / "model.safetensors").read_bytes()
        (step / "model.safetensors").write_bytes(model[:-1])
        self.expect_refused("step_7/model.safetensors: is not the file of 76 bytes that its manifest names", run)
        (step / "model.safetensors").write_bytes(b"\xff" * len(model))
        self.expect_refused("step_7/model.safetensors: is no whole safetensors file", run)
        (step / "manifest.json").write_text("{")
        self.expect_refused("manifest.json: is no checkpoint's manifest", run)
        (step / "manifest.json").unlink()
        self.expect_refused("latest: names 'step_7', which is no checkpoint", run)
        shutil.rmtree(run / "checkpoints")
        self.expect_refused("p: has no checkpoint yet", run)

    def test_what_the_target_cannot_hold(self):
        # Widths, strides and stages are seen when the model is built; for state_dict's reader they are no trouble.
        cases = [
            (NANO, "torchvision", r"model\.width: 16: torchvision's ResNet .* into='timm'"),
            (NANO | {"width": 64}, "torchvision", r"model\.output_stride: 8: torchvision's basic blocks .* into='timm'"),
            (NANO | {"depths": [1, 1]}, "timm", r"model\.depths: \[1, 1\]: timm's and torchvision's .* state_dict"),
            (NANO | {"stem": "7x7", "output_stride": 4}, "timm", r"model\.output_stride: 4: timm's ResNet has .* state_dict"),
            (NANO | {"stem": "9x9"}, "timm", r"model\.stem: 9x9: is not one of"),
            (VIT | {"window_size": 14}, "timm", r"model\.window_size: 14: neither timm's .* state_dict"),
            (VIT | {"relative_positions": True}, "torchvision", r"model\.relative_positions: True: neither timm's .* state_dict"),
            ({"name": "vit"}, "timm", r"model\.image_size: is missing"),
        ]
        for i, (options, into, message) in enumerate(cases):
            run = self.make_run(str(i), options, {"backbone.a": torch.ones(1)})
            with self.subTest(message), self.assertRaisesRegex(ValueError, r"config\.yaml: " + message):
                freeatm.load_backbone(run, into)
            self.assertEqual(list(freeatm.state_dict(run, into)), ["a"])
        run = self.make_run("mean", VIT | {"global_pool": "avg"}, {"backbone.fc_norm.weight": torch.ones(16)})
        self.expect_refused(r"config\.yaml: model\.global_pool: avg: torchvision's VisionTransformer .* into='timm'", run, "torchvision")

    def test_tensors_that_do_not_fit(self):
        whole = self.make_run("whole", VIT, {f"backbone.{k}": v for k, v in timm_model(VIT).state_dict().items()})
        tensors = load_file(whole / "checkpoints/step_7/model.safetensors")
        for into in ("timm", "torchvision"):
            freeatm.load_backbone(whole, into)
        changes = {
            r"missing: blocks\.1\.mlp\.fc2\.bias$": {"backbone.blocks.1.mlp.fc2.bias": None},
            r"unexpected: blocks\.2\.a$": {"backbone.blocks.2.a": torch.ones(1)},
            r"pos_embed: \[1, 26, 16\] in the file, \[1, 17, 16\] in the model$": {"backbone.pos_embed": torch.ones(1, 26, 16)},
            r"missing: .*; missing: .*; missing: .* and \d+ more$": {k: None for k in tensors},
        }
        for i, (message, change) in enumerate(changes.items()):
            changed = {k: v for k, v in {**tensors, "a": torch.ones(1), **change}.items() if v is not None}
            with self.subTest(message), self.assertRaisesRegex(ValueError, r"step_7: do not fit timm's model: " + message):
                freeatm.load_backbone(self.make_run(str(i), VIT, changed))

    def test_averages_take_the_weights_place(self):
        tensors = {"backbone.a": torch.ones(1), "backbone.b": torch.ones(1), "momentum_backbone.a": torch.ones(1)}
        run = self.make_run("p", NANO, tensors, {"backbone.a": torch.zeros(1), "projector.w": torch.ones(1)})
        self.assertEqual(freeatm.state_dict(run), {"a": torch.zeros(1), "b": torch.ones(1)})
        (run / "checkpoints/step_7/ema.safetensors").unlink()
        self.expect_refused("ema.safetensors: is not the file of", run)


class Runs(Folder):
    """What the program itself trains, and how it judges that."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.made = Path(temporary.name)
        run("world", "count=200", "eval_count=200", f"out={cls.made / 'world'}")

    def pretrain(self, name, *more):
        run("pretrain", "experiment=nano_moco", f"data.root={self.made / 'world/scenes'}", f"out={self.folder / name}",
            "objective.hidden=32", "objective.dimensions=16", "loader.batch_size=16", *more)
        return self.folder / name

    def features(self, model, split):
        """[pictures, channels] and classes, in the program's order."""
        paths = sorted((self.made / "world/objects" / split).glob("*/*.png"))
        pictures = torch.stack([torch.from_numpy(np.array(Image.open(path).convert("RGB"))) for path in paths])
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        with torch.no_grad():
            found = torch.cat([model(((part / 255 - mean) / deviation).permute(0, 3, 1, 2)) for part in pictures.split(128)])
        names = sorted({path.parent.name for path in paths})
        return found, torch.tensor([names.index(path.parent.name) for path in paths])

    def knn_accuracy(self, model, neighbours, temperature=0.07):
        (bank, classes), (queries, truth) = self.features(model, "train"), self.features(model, "test")
        normal = torch.nn.functional.normalize
        similarity, nearest = (normal(queries) @ normal(bank).T).topk(neighbours)
        votes = torch.zeros(len(queries), int(classes.max()) + 1).scatter_add_(1, classes[nearest], (similarity / temperature).exp())
        return (votes.argmax(1) == truth).double().mean().item()

    def expect_the_programs_accuracy(self, checkpoint, *targets):
        out = self.folder / f"knn.{checkpoint.name}"
        run("evaluate", "task=knn", f"checkpoint={checkpoint}", f"data.root={self.made / 'world/objects'}", f"out={out}",
            "knn.neighbours=[5]", "data.eval_splits=[test]")
        metrics = json.loads((out / "metrics.json").read_text())
        for into in targets:
            model = freeatm.load_backbone(checkpoint, into)
            self.assertAlmostEqual(self.knn_accuracy(model, 5), metrics["test_knn_accuracy"], delta=1e-6)

    def test_a_resnets_features_are_judged_alike(self):
        narrow = ["model.block=bottleneck", "model.stem=7x7", "model.output_stride=16"]  # timm has no such first stage
        self.expect_the_programs_accuracy(self.pretrain("narrow", *narrow, "trainer.steps=6", "trainer.warmup_steps=1"), "timm")
        checkpoint = self.pretrain("p", "trainer.steps=6", "trainer.warmup_steps=1")
        self.expect_the_programs_accuracy(checkpoint, "timm")
        with self.assertLogs("freeatm", "INFO") as logs:
            freeatm.load_backbone(checkpoint / "checkpoints/step_6")
        self.assertRegex(logs.output[0], r"step_6: \d+ tensors in timm's ResNet, none missing; not of the backbone, left out: .*momentum_backbone")

    def test_a_vits_features_are_judged_alike_averages_included(self):
        checkpoint = self.pretrain("v", "model=vit_nano", "model.depth=2", "trainer.steps=6", "trainer.warmup_steps=1", "trainer.ema=0.9")
        self.expect_the_programs_accuracy(checkpoint, "timm", "torchvision")
        step = checkpoint / "checkpoints/step_6"
        averages, weights = load_file(step / "ema.safetensors"), load_file(step / "model.safetensors")
        name = "blocks.0.mlp.fc1.weight"
        found = freeatm.state_dict(checkpoint)[name]
        self.assertTrue(torch.equal(found, averages[f"backbone.{name}"]))
        self.assertFalse(torch.equal(found, weights[f"backbone.{name}"]))

    def test_a_finetuned_backbone(self):
        out = self.folder / "f"
        run("finetune", "checkpoint=none", "model=resnet18", "model.depths=[1,1,1,1]", f"data.root={self.made / 'world/objects'}", f"out={out}",
            "trainer.steps=2", "trainer.epochs=1", "loader.batch_size=8", "trainer.warmup_epochs=0", "eval_splits=[val]")
        for into in ("timm", "torchvision"):
            model = freeatm.load_backbone(out, into)
            self.assertEqual(model(torch.zeros(1, 3, 64, 64)).shape, (1, 512))


if __name__ == "__main__":
    unittest.main()
