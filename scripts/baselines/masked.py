# SPDX-License-Identifier: Apache-2.0
"""MAE and SimMIM for tests/objectives/masked_test.cpp: python scripts/baselines/masked.py

PyTorch scripts after the papers (He et al. 2022; Xie et al. 2022) around timm's transformer, with weights from hash_weights.py. Stored, in
fp64: pictures (bytes), what is hidden of them, foreground; for each case the loss, a sample of what is predicted, and samples of each
gradient. Also the names of a whole MAE of the authors' (encoder and decoder), which are those of the parameters here but for "backbone."."""
import json
from functools import partial
from pathlib import Path

import torch
from hash_weights import fill_with_hash, hash_array
from safetensors.torch import save_file
from timm.models.vision_transformer import Block, VisionTransformer
from torch import nn

DATA = Path(__file__).resolve().parents[2] / "tests/objectives/data"
SIZE, PATCH, DIM, DEPTH, HEADS, DECODER, BATCH, EVERY = 32, 8, 48, 2, 3, 32, 3, 97
PATCHES, RATIO = (SIZE // PATCH) ** 2, 0.75
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).double(), torch.tensor([0.229, 0.224, 0.225]).double()


def vit():
    return VisionTransformer(img_size=SIZE, patch_size=PATCH, embed_dim=DIM, depth=DEPTH, num_heads=HEADS, num_classes=0, global_pool="token")


def patchify(images):
    """[B, 3, S, S] -> [B, patches, patch * patch * 3]: rows, columns, channels."""
    side = SIZE // PATCH
    x = images.reshape(len(images), 3, side, PATCH, side, PATCH)
    return torch.einsum("nchpwq->nhwpqc", x).reshape(len(images), side * side, PATCH * PATCH * 3)


def weighted(each, hidden, foreground, foreground_weight):
    weights = hidden * (1 + (foreground_weight - 1) * foreground)
    return ((each * weights).sum(1) / weights.sum(1)).mean()


class Mae(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = vit()
        self.decoder_embed = nn.Linear(DIM, DECODER)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, DECODER))
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, PATCHES + 1, DECODER), requires_grad=False)
        self.decoder_blocks = nn.ModuleList([Block(DECODER, 4, 4, qkv_bias=True, norm_layer=partial(nn.LayerNorm, eps=1e-6)) for _ in range(2)])
        self.decoder_norm = nn.LayerNorm(DECODER, eps=1e-6)
        self.decoder_pred = nn.Linear(DECODER, PATCH * PATCH * 3)

    def predict(self, images, hidden):
        v = self.backbone
        tokens = v.patch_embed(images) + v.pos_embed[:, 1:]
        out = []
        for one, is_hidden in zip(tokens, hidden.bool()):  # one picture after the other, as one would write it down
            seen = torch.cat([v.cls_token[0] + v.pos_embed[0, :1], one[~is_hidden]])[None]
            encoded = self.decoder_embed(v.norm(v.blocks(seen)))[0]
            whole = self.mask_token[0].repeat(PATCHES, 1)
            whole[~is_hidden] = encoded[1:]
            x = torch.cat([encoded[:1], whole])[None] + self.decoder_pos_embed
            for block in self.decoder_blocks:
                x = block(x)
            out.append(self.decoder_pred(self.decoder_norm(x))[0, 1:])
        return torch.stack(out)

    def loss(self, pixels, hidden, foreground, case):
        images = (pixels.permute(0, 3, 1, 2).double() / 255 - MEAN.view(1, 3, 1, 1)) / STD.view(1, 3, 1, 1)
        predicted = self.predict(images, hidden)
        target = patchify(images if case["target_pixels"] == "imagenet" else pixels.permute(0, 3, 1, 2).double() / 255)
        if case["normalise_target"]:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + case["target_eps"]) ** 0.5
        return weighted(((predicted - target) ** 2).mean(-1), hidden, foreground, case["foreground_weight"]), predicted


class SimMim(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = vit()
        self.mask_token = nn.Parameter(torch.zeros(1, 1, DIM))
        self.decoder = nn.Linear(DIM, PATCH * PATCH * 3)

    def loss(self, pixels, hidden, foreground, case):
        images = (pixels.permute(0, 3, 1, 2).double() / 255 - MEAN.view(1, 3, 1, 1)) / STD.view(1, 3, 1, 1)
        v = self.backbone
        w = hidden[..., None]
        x = v.patch_embed(images) * (1 - w) + self.mask_token * w
        x = torch.cat([v.cls_token.expand(len(x), -1, -1), x], 1) + v.pos_embed
        predicted = self.decoder(v.norm(v.blocks(x))[:, 1:])
        return weighted((predicted - patchify(images)).abs().mean(-1), hidden, foreground, case["foreground_weight"]), predicted


CASES = {
    "mae": {"target_pixels": "unit", "normalise_target": True, "target_eps": 4e-4, "foreground_weight": 1.0},
    "mae_authors": {"target_pixels": "imagenet", "normalise_target": True, "target_eps": 1e-6, "foreground_weight": 1.0},
    "mae_pixels": {"target_pixels": "unit", "normalise_target": False, "target_eps": 4e-4, "foreground_weight": 3.0},
    "simmim": {"foreground_weight": 1.0},
    "simmim_weighted": {"foreground_weight": 3.0},
}


def main():
    pixels = torch.from_numpy((hash_array("pixels", (BATCH, SIZE, SIZE, 3), 127.0) + 128).astype("uint8"))
    pixels[0, :PATCH, :PATCH] = 90  # a flat patch
    order = torch.from_numpy(hash_array("order", (BATCH, PATCHES))).argsort(1)
    hidden = torch.zeros(BATCH, PATCHES).double().scatter(1, order[:, : int(PATCHES * RATIO)], 1)
    hidden[0, 0], hidden[0, (hidden[0, 1:].argmax() + 1)] = 1, hidden[0, 0].clone()  # the flat one is hidden, as many as before
    foreground = torch.from_numpy(hash_array("foreground", (BATCH, PATCHES))).double().clamp(min=0)
    values = {"pixels": pixels, "hidden": hidden.byte(), "foreground": foreground.float()}
    for name, case in CASES.items():
        model = fill_with_hash(Mae() if name.startswith("mae") else SimMim(), 0.2).double()
        loss, predicted = model.loss(pixels, hidden, foreground.float().double(), case)
        loss.backward()
        values[f"{name}.loss"] = loss.detach()
        values[f"{name}.predicted"] = predicted.detach().flatten()[::EVERY].clone()
        for parameter_name, parameter in model.named_parameters():
            if parameter.grad is not None:
                values[f"{name}.grad.{parameter_name}"] = parameter.grad.flatten()[::EVERY].clone()
    save_file(values, DATA / "masked.safetensors")
    names = {name.removeprefix("backbone."): list(p.shape) for name, p in Mae().named_parameters()}
    (DATA / "mae_names.json").write_text(json.dumps(names, indent=0) + "\n")


if __name__ == "__main__":
    main()
