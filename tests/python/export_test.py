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

import numpy as np
import onnx
import torch
import transformers
from freeatm._models import BUILD
from freeatm._run import Run
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

    def expect_whole(self, folder, **more):
        """transformers finds every tensor that it wants, and no other."""
        automatic = {"ForImageClassification": transformers.AutoModelForImageClassification}
        architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
        kind = next((value for key, value in automatic.items() if architecture.endswith(key)), transformers.AutoModel)
        _, info = kind.from_pretrained(folder, output_loading_info=True, **more)
        for what, found in info.items():
            self.assertFalse(found, what)


class Files(Exports):
    def save(self, name):
        model = timm_model(MODELS[name])
        save_file(model.state_dict(), self.folder / f"{name}.safetensors")
        options = [f"model.{key}={json.dumps(value).replace(chr(34), '')}" for key, value in MODELS[name].items() if key != "name"]
        group = "resnet18" if MODELS[name]["name"] == "resnet" else "vit_nano"
        return model, [f"checkpoint={self.folder / name}.safetensors", f"model={group}", *options]

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


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    unittest.main()
