# SPDX-License-Identifier: Apache-2.0
"""freeatm export: each tool itself opens what is written, by the lines that are printed, and gives the same features."""
import contextlib
import io
import json
import logging
import pickle
import sys
import tempfile
import unittest
from pathlib import Path

import freeatm
import numpy as np
import onnx
import torch
import transformers
from freeatm._models import BUILD
from freeatm._run import Run
from PIL import Image
from program import ROOT, run
from safetensors import safe_open
from safetensors.torch import load_file, save_file

sys.path.append(str(ROOT / "scripts/baselines"))
from cases import tensor  # noqa: E402
from hash_weights import fill_with_hash  # noqa: E402

NANO = {"name": "resnet", "depths": [1, 1, 1, 1], "block": "basic", "width": 16, "stem": "3x3", "output_stride": 8}
VIT = {"name": "vit", "image_size": 32, "patch_size": 8, "dim": 32, "depth": 2, "heads": 4, "mlp_ratio": 4.0, "class_token": True,
       "global_pool": "token", "positions": "learned"}
USUAL = {"width": 64, "stem": "7x7", "output_stride": 32}
MODELS = {
    "nano": NANO,
    "cifar": NANO | {"stem": "cifar", "width": 64, "output_stride": 8},
    "resnet18": NANO | USUAL | {"depths": [2, 2, 2, 2]},
    "resnet14": NANO | USUAL | {"depths": [1, 1, 1, 1], "block": "bottleneck"},
    "dilated": NANO | USUAL | {"depths": [1, 2, 1, 1], "block": "bottleneck", "output_stride": 16},
    "narrow": NANO | USUAL | {"width": 16, "block": "bottleneck"},
    "vit": VIT,
    "sincos": VIT | {"positions": "sincos", "image_size": 48, "mlp_ratio": 2.0, "heads": 2},
    "mean": VIT | {"global_pool": "avg"},
    "no_token": VIT | {"global_pool": "avg", "class_token": False},
}
REFUSED = {("nano", "torchvision"): "begins with 64 channels, this one with 16: to=timm takes it",
           ("narrow", "torchvision"): "begins with 64 channels",
           ("mean", "torchvision"): "pools by its class token, this one by the mean of its patches: to=timm takes it",
           ("no_token", "torchvision"): "pools by its class token"}
TARGETS = {"timm": "m.safetensors", "torchvision": "m.safetensors", "huggingface": "m", "onnx": "m.onnx"}


def timm_model(options):
    model = BUILD[options["name"], "timm"](Run(Path("config.yaml"), Path("step"), options))
    fill_with_hash(model, 0.1)
    return model.eval()


def off(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


class Exports(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def export(self, *arguments, out, side=32):
        """What the printed lines make: their names. Those of ONNX ask for pixels."""
        said = run("export", *arguments, f"out={self.folder / out}")
        names = {"pixels": np.zeros((1, 3, side, side), np.float32)}
        with contextlib.redirect_stderr(io.StringIO()):  # progress bars
            exec(said[said.index("# in Python:"):], names)
        return names

    def save(self, name):
        model = timm_model(MODELS[name])
        save_file(model.state_dict(), self.folder / f"{name}.safetensors")
        options = [f"model.{key}={json.dumps(value).replace(chr(34), '')}" for key, value in MODELS[name].items() if key != "name"]
        group = "resnet18" if MODELS[name]["name"] == "resnet" else "vit_nano"
        return model, [f"checkpoint={self.folder / name}.safetensors", f"model={group}", *options]

    def expect_whole(self, folder, **more):
        """transformers finds every tensor that it wants, and no other."""
        automatic = {"ForImageClassification": transformers.AutoModelForImageClassification}
        architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
        kind = next((value for key, value in automatic.items() if architecture.endswith(key)), transformers.AutoModel)
        _, info = kind.from_pretrained(folder, output_loading_info=True, **more)
        for what, found in info.items():
            self.assertFalse(found, what)


class Files(Exports):
    def features(self, target, names, pixels):
        with torch.no_grad():
            if target == "onnx":
                features, grid = names["session"].run(["features", "grid"], {"pixel_values": pixels.numpy()})
                self.assertEqual(features.shape[1], grid.shape[1])
                return torch.from_numpy(features)
            found = names["model"].eval()(pixels)
            return found.pooler_output.flatten(1) if target == "huggingface" else found

    def test_every_model_in_every_tool(self):
        for name in MODELS:
            model, arguments = self.save(name)
            side = MODELS[name].get("image_size", 32)
            for target, out in TARGETS.items():
                with self.subTest(name, target=target):
                    if (name, target) in REFUSED:
                        with self.assertRaises(AssertionError) as caught:
                            run("export", *arguments, f"to={target}", f"out={self.folder / name}.out")
                        self.assertIn(REFUSED[name, target], str(caught.exception))
                        self.assertFalse((self.folder / f"{name}.out").exists())
                        continue
                    out = f"{name}.{target}.{out}"
                    names = self.export(*arguments, f"to={target}", f"image_size={side}", out=out, side=side)
                    pixels = tensor("images", 3, 3, side, side)
                    with torch.no_grad():
                        expected = model(pixels)
                    self.assertLessEqual(off(self.features(target, names, pixels), expected), 1e-5)
                    if target == "huggingface":
                        trust = {"trust_remote_code": True} if (self.folder / out / "modeling_freeatm_resnet.py").exists() else {}
                        self.assertEqual(bool(trust), name in ("nano", "cifar", "dilated"))
                        self.expect_whole(self.folder / out, **trust)
                        with open(self.folder / out / "preprocessor_config.json") as file:
                            self.assertEqual(json.load(file)["image_mean"], [0.485, 0.456, 0.406])
                    if target == "onnx":
                        onnx.checker.check_model(self.folder / out, full_check=True)

    def test_files_say_what_they_are_of(self):
        _, arguments = self.save("mean")
        self.export(*arguments, "to=timm", out="m.safetensors")
        with safe_open(self.folder / "m.safetensors", "pt") as file:
            said = file.metadata()
        self.assertEqual((said["format"], said["tool"], said["image_mean"]), ("pt", "timm", "[0.485,0.456,0.406]"))
        import timm

        model = timm.create_model(said["architecture"], **json.loads(said["model_args"]))
        model.load_state_dict(load_file(self.folder / "m.safetensors"))

    def test_an_epsilon_that_transformers_does_not_assume(self):
        _, arguments = self.save("vit")
        self.export(*arguments, "to=huggingface", out="m")
        config = json.loads((self.folder / "m/config.json").read_text())
        self.assertEqual(config["layer_norm_eps"], 1e-6)
        self.assertIn("encoder.layer.0.attention.attention.query.weight", load_file(self.folder / "m/model.safetensors"))

    def test_what_detectron2_reads(self):
        model, arguments = self.save("resnet18")
        run("export", *arguments, "to=detectron2", f"out={self.folder / 'm.pkl'}")
        data = pickle.loads((self.folder / "m.pkl").read_bytes(), encoding="latin1")  # as its DetectionCheckpointer
        self.assertEqual((data["__author__"], data["matching_heuristics"]), ("freeatm", True))
        state = model.state_dict()
        for theirs, ours in {"stem.conv1.weight": "conv1.weight", "stem.conv1.norm.running_var": "bn1.running_var",
                             "res3.0.shortcut.weight": "layer2.0.downsample.0.weight",
                             "res3.0.shortcut.norm.bias": "layer2.0.downsample.1.bias",
                             "res5.1.conv2.norm.running_mean": "layer4.1.bn2.running_mean"}.items():
            found = torch.from_numpy(data["model"][theirs])
            self.assertTrue(torch.equal(found, state[ours]), theirs)
        self.assertTrue(data["model"]["stem.conv1.weight"].flags.writeable)
        self.assertEqual(len(data["model"]), len([name for name in state if "num_batches" not in name]))

    def test_what_is_there_is_not_lost(self):
        _, arguments = self.save("vit")
        for target, out in {"timm": "m.safetensors", "huggingface": "m", "onnx": "m.onnx"}.items():
            with self.subTest(target):
                self.export(*arguments, f"to={target}", out=out)
                self.assertIn("was there already, the same", run("export", *arguments, f"to={target}", f"out={self.folder / out}"))
                _, others = self.save("sincos")
                with self.assertRaisesRegex(AssertionError, "is there and is something else; overwrite=true replaces it"):
                    self.export(*others, f"to={target}", out=out)
                self.export(*others, f"to={target}", "overwrite=true", out=out, side=48)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"m", "m.safetensors", "m.onnx", "vit.safetensors", "sincos.safetensors"})


class ReadAgain(Exports):
    """What the tools have written is a checkpoint here: exported once more it is the same."""

    def expect_same(self, name, checkpoint, *arguments):
        model, _ = self.save(name)
        names = self.export(f"checkpoint={checkpoint}", *arguments, "to=timm", out="again.safetensors")
        for tensor_name, found in names["model"].state_dict().items():
            self.assertTrue(torch.equal(found, model.state_dict()[tensor_name]), tensor_name)
        (self.folder / "again.safetensors").unlink()

    def test_folders_of_transformers(self):
        for name in ("vit", "mean", "no_token", "resnet14", "nano", "dilated"):
            with self.subTest(name):
                names = self.export(*self.save(name)[1], "to=huggingface", out=f"{name}_hf")
                names["model"].save_pretrained(self.folder / f"{name}_saved")
                for folder in (f"{name}_hf", f"{name}_saved"):  # of it the config says what the model is
                    self.expect_same(name, self.folder / folder)

    def test_a_classifier_of_transformers(self):
        config = transformers.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, image_size=32,
                                        patch_size=8, layer_norm_eps=1e-6, num_labels=3)
        theirs = transformers.ViTForImageClassification(config).eval()
        theirs.save_pretrained(self.folder / "theirs")
        model = self.export(f"checkpoint={self.folder / 'theirs'}", "to=timm", out="m.safetensors")["model"]
        pixels = tensor("images", 2, 3, 32, 32)
        with torch.no_grad():
            self.assertLessEqual(off(model(pixels), theirs.vit(pixels).last_hidden_state[:, 0]), 1e-5)

    def test_files_of_torchvision_and_detectron2(self):
        names = self.export(*self.save("vit")[1], "to=torchvision", out="tv.safetensors")
        names["model"].heads = torch.nn.Linear(32, 3)
        torch.save(names["model"].state_dict(), self.folder / "tv.pth")
        self.expect_same("vit", self.folder / "tv.pth", *self.save("vit")[1][1:])
        run("export", *self.save("resnet18")[1], "to=detectron2", f"out={self.folder / 'm.pkl'}")
        data = pickle.loads((self.folder / "m.pkl").read_bytes())["model"]
        trained = {f"backbone.bottom_up.{name}": torch.from_numpy(value) for name, value in data.items()}
        torch.save({"model": trained | {"backbone.fpn_lateral2.weight": torch.ones(1)}, "iteration": 9}, self.folder / "d2.pth")
        self.expect_same("resnet18", self.folder / "d2.pth", *self.save("resnet18")[1][1:])


class Runs(Exports):
    """What the program itself trains."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.made = Path(temporary.name)
        run("world", "count=40", "eval_count=20", f"out={cls.made / 'world'}")

    def train(self, *arguments, command="pretrain", data="scenes", out="p"):
        run(command, *arguments, f"data.root={self.made / 'world' / data}", f"out={self.folder / out}", "trainer.steps=2",
            "loader.batch_size=8", "trainer.warmup_epochs=0")
        return self.folder / out

    def expect_features(self, checkpoint, *targets):
        expected = freeatm.load_backbone(checkpoint)
        pixels = tensor("images", 2, 3, 64, 64)
        for target in targets:
            with self.subTest(target), torch.no_grad():
                names = self.export(f"checkpoint={checkpoint}", f"to={target}", out=f"{checkpoint.name}.{target}.{TARGETS[target]}", side=64)
                if target == "onnx":
                    found = torch.from_numpy(names["session"].run(["features"], {"pixel_values": pixels.numpy()})[0])
                else:
                    found = names["model"](pixels)
                    found = found.pooler_output.flatten(1) if target == "huggingface" else found
                self.assertLessEqual(off(found, expected(pixels)), 1e-5)

    def test_contrastive_and_masked(self):
        small = ["objective.hidden=32", "objective.dimensions=16"]
        self.expect_features(self.train("experiment=nano_moco", *small), "timm", "huggingface", "onnx")
        self.expect_features(self.train("experiment=nano_mae", "model.depth=2", out="m"), "timm", "torchvision", "huggingface", "onnx")

    def test_classifiers(self):
        for model, pool in ("resnet10_nano", "null"), ("vit_nano", "token"), ("vit_nano", "avg"):
            name = f"{model}_{pool}"
            checkpoint = self.train("checkpoint=none", f"model={model}", f"global_pool={pool}", "eval_splits=[val]", command="finetune", data="objects", out=name)
            tensors = load_file(checkpoint / "checkpoints/step_2/model.safetensors")
            classes = json.loads((checkpoint / "classes.json").read_text())
            pixels = tensor("images", 2, 3, 64, 64)
            with torch.no_grad():
                expected = freeatm.load_backbone(checkpoint)(pixels) @ tensors["head.weight"].T + tensors["head.bias"]
                for target in ("timm", "huggingface", "onnx"):
                    names = self.export(f"checkpoint={checkpoint}", f"to={target}", out=f"{name}.{target}.{TARGETS[target]}", side=64)
                    if target == "onnx":
                        found = torch.from_numpy(names["session"].run(["logits"], {"pixel_values": pixels.numpy()})[0])
                    else:
                        found = names["model"](pixels)
                        found = found.logits if target == "huggingface" else found
                    with self.subTest(name, target=target):
                        self.assertLessEqual(off(found, expected), 1e-5)
                    if target == "huggingface":
                        self.assertEqual([names["model"].config.id2label[i] for i in range(len(classes))], classes)

    def test_a_vision_language_run(self):
        checkpoint = self.train("experiment=nano_vl", "model.depth=2", "objective.text.depth=3", "objective.text.fusion_layers=1")
        self.expect_features(checkpoint, "huggingface", "onnx")
        names = self.export(f"checkpoint={checkpoint}", "to=huggingface", "part=text", out="text")
        self.expect_whole(self.folder / "text")
        self.assertEqual(names["model"].config.num_hidden_layers, 2)
        trained = load_file(checkpoint / "checkpoints/step_2/model.safetensors")
        for name, found in names["model"].state_dict().items():
            if "pooler" not in name:
                self.assertTrue(torch.equal(found, trained[f"text_encoder.{name}"]), name)
        ids = names["tokenizer"]("a red heart", return_tensors="pt")
        self.assertEqual(names["model"](**ids).last_hidden_state.shape, (1, ids["input_ids"].shape[1], 128))
        with self.assertRaisesRegex(AssertionError, "part=backbone and part=text take the two"):
            run("export", f"checkpoint={checkpoint}", "to=huggingface", "part=pair", f"out={self.folder / 'pair'}")

    def test_a_detector(self):
        checkpoint = self.train("experiment=nano_detection", "checkpoint=none", "model=resnet18", "objective.pyramid.channels=256",
                                "objective.heads.box_dim=1024", "objective.heads.canonical_size=224", "objective.heads.canonical_stride=16",
                                "objective.anchors.sizes=[8,16,24,32,48]", "objective.heads.score_threshold=0",
                                "eval_splits=[val]", command="finetune", out="d")
        model = self.export(f"checkpoint={checkpoint}", "to=torchvision", out="d.safetensors")["model"]
        scenes = self.made / "world/scenes"
        picture = json.loads((scenes / "annotations/instances_val.json").read_text())["images"][3]
        path = scenes / "val" / picture["file_name"]
        with torch.no_grad():
            found = model([torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1) / 255])[0]
        self.assertEqual(found["masks"].shape[1:], (1, 64, 64))
        results = json.loads(next(checkpoint.rglob("detections_bbox.json")).read_text())  # of the program, just now
        ours = sorted((one for one in results if one["image_id"] == picture["id"]), key=lambda one: -one["score"])
        self.assertEqual(len(ours), len(found["scores"]))
        scores, boxes = (torch.tensor([one[key] for one in ours]) for key in ("score", "bbox"))
        self.assertLessEqual(off(found["scores"], scores), 1e-4)
        boxes[:, 2:] += boxes[:, :2]
        apart = (found["boxes"][:, None] - boxes).abs().amax(2).amin(1)  # each to the nearest: equal scores have no order
        self.assertLessEqual(apart.max().item(), 0.02)
        names = self.export(f"checkpoint={checkpoint}", "to=timm", out="body.safetensors")
        self.assertEqual(names["model"](torch.zeros(1, 3, 64, 64)).shape, (1, 512))


class Clips(Exports):
    def test_a_clip_comes_back_as_it_was(self):
        tower = dict(intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, hidden_act="gelu")
        tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / "models/emoji/tokenizer")
        config = transformers.CLIPConfig(
            projection_dim=12, vision_config=dict(hidden_size=24, image_size=32, patch_size=8) | tower,
            text_config=dict(hidden_size=20, vocab_size=len(tokenizer), max_position_embeddings=16, eos_token_id=tokenizer.eos_token_id) | tower)
        theirs = fill_with_hash(transformers.CLIPModel(config), 0.2).eval()
        theirs.save_pretrained(self.folder / "theirs")
        tokenizer.save_pretrained(self.folder / "theirs")
        inputs = tokenizer(["a red heart", "a cat"], return_tensors="pt", padding=True)
        pixels = tensor("images", 2, 3, 32, 32)
        with torch.no_grad():
            expected = theirs(**inputs, pixel_values=pixels)
            whole = self.export(f"checkpoint={self.folder / 'theirs'}", "to=huggingface", out="whole")
            self.expect_whole(self.folder / "whole")
            again = whole["tokenizer"](["a red heart", "a cat"], return_tensors="pt", padding=True)
            self.assertTrue(torch.equal(again["input_ids"], inputs["input_ids"]))
            self.assertLessEqual(off(whole["model"](**again, pixel_values=pixels).logits_per_image, expected.logits_per_image), 1e-6)
            self.assertEqual(list(whole["processor"].image_mean), [0.48145466, 0.4578275, 0.40821073])
            text = self.export(f"checkpoint={self.folder / 'whole'}", "to=huggingface", "part=text", out="text")["model"]
            found = torch.nn.functional.normalize(text(**inputs).text_embeds)
            self.assertLessEqual(off(found, expected.text_embeds), 1e-5)
            vision = self.export(f"checkpoint={self.folder / 'whole'}", "to=huggingface", "part=backbone", out="vision")["model"]
            self.assertLessEqual(off(vision(pixels).pooler_output, theirs.vision_model(pixels).pooler_output), 1e-6)
        for folder in ("text", "vision"):
            with self.subTest(folder):
                architecture = json.loads((self.folder / folder / "config.json").read_text())["architectures"][0]
                _, info = getattr(transformers, architecture).from_pretrained(self.folder / folder, output_loading_info=True)
                self.assertFalse(any(info.values()), info)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    unittest.main()
