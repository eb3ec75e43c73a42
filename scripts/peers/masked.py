# SPDX-License-Identifier: Apache-2.0
"""Masked modelling: a step of MAE on pictures that lie in memory, beside the same in PyTorch, eager and compiled, for 64 pixels and for
ViT-S/16 at 224 with the paper's decoder; what the encoder costs with more and less hidden; the draw of what is hidden; memory."""
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timm.models.vision_transformer import Block, VisionTransformer
from torch import nn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers.train import Freeatm, peak_memory  # noqa: E402

WARM_UP, STEPS, RATIO = 3, 8, 0.75
MODELS = {"nano": dict(model=0, side=64, patch=8, dim=128, depth=6, heads=4, decoder=(96, 2, 4), batch=128),
          "ViT-S/16": dict(model=1, side=224, patch=16, dim=384, depth=12, heads=6, decoder=(512, 8, 16), batch=16)}


class Mae(nn.Module):
    """MAE as its authors' code does it: kept tokens by one gather, restored by another; attention is PyTorch's fused one."""

    def __init__(self, side, patch, dim, depth, heads, decoder, **_):
        super().__init__()
        width, blocks, decoder_heads = decoder
        self.patch, self.patches = patch, (side // patch) ** 2
        self.vit = VisionTransformer(img_size=side, patch_size=patch, embed_dim=dim, depth=depth, num_heads=heads, num_classes=0)
        self.vit.pos_embed.requires_grad_(False)
        self.decoder_embed, self.mask_token = nn.Linear(dim, width), nn.Parameter(torch.zeros(1, 1, width))
        self.decoder_pos_embed = nn.Parameter(torch.randn(1, self.patches + 1, width) * 0.02, requires_grad=False)
        self.decoder_blocks = nn.Sequential(*[Block(width, decoder_heads, 4, qkv_bias=True, norm_layer=partial(nn.LayerNorm, eps=1e-6)) for _ in range(blocks)])
        self.decoder_norm, self.decoder_pred = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, patch * patch * 3)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]) * 255)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]) * 255)

    def patchified(self, x):  # [B, S, S, 3]
        side = x.shape[1] // self.patch
        return x.reshape(len(x), side, self.patch, side, self.patch, 3).transpose(2, 3).reshape(len(x), side * side, -1)

    def forward(self, pixels, noise):
        x = pixels.float()
        tokens = self.vit.patch_embed(((x - self.mean) / self.deviation).permute(0, 3, 1, 2)) + self.vit.pos_embed[:, 1:]
        order = noise.argsort(1)
        restore, keep = order.argsort(1), order[:, : int(self.patches * (1 - RATIO))]
        tokens = tokens.gather(1, keep[..., None].expand(-1, -1, tokens.shape[2]))
        first = (self.vit.cls_token + self.vit.pos_embed[:, :1]).expand(len(tokens), -1, -1)
        y = self.decoder_embed(self.vit.norm(self.vit.blocks(torch.cat([first, tokens], 1))))
        whole = torch.cat([y[:, 1:], self.mask_token.expand(len(y), self.patches - keep.shape[1], -1)], 1)
        whole = whole.gather(1, restore[..., None].expand(-1, -1, y.shape[2]))
        y = torch.cat([y[:, :1], whole], 1) + self.decoder_pos_embed
        predicted = self.decoder_pred(self.decoder_norm(self.decoder_blocks(y)))[:, 1:]
        target = self.patchified(x / 255)
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 4e-4).sqrt()
        hidden = (restore >= keep.shape[1]).float()
        return (((predicted - target) ** 2).mean(-1) * hidden).sum() / hidden.sum()


def median_seconds(step):
    seconds = []
    for _ in range(WARM_UP + STEPS):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[WARM_UP:]))


class Peer:
    def __init__(self, options, compiled, device="cpu", dtype=torch.float32):
        torch.manual_seed(0)
        model, self.device, self.dtype = Mae(**options).to(device), torch.device(device), dtype
        self.optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-4, weight_decay=0.05, fused=True)
        self.pixels = torch.randint(256, (options["batch"], options["side"], options["side"], 3), dtype=torch.uint8, device=device)
        self.noise = torch.rand(options["batch"], model.patches, device=device)
        self.loss = torch.compile(model) if compiled else model

    def step(self):
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            loss = self.loss(self.pixels, self.noise)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def seconds_a_step(self):
        return median_seconds(self.step)


def run(options, compare):
    torch.set_num_threads(options.threads)
    ours = Freeatm(options, None)
    for name, model in MODELS.items():
        number = model["model"]

        def seconds(bench):
            return ours.bench(f"{bench}/real_time")["real_time"] / 1000

        contestants = {"freeatm": lambda: seconds(f"mae_step/model:{number}"), "PyTorch, eager": Peer(model, False).seconds_a_step}
        if not options.no_compile:
            contestants["PyTorch, torch.compile"] = Peer(model, True).seconds_a_step
        compare(f"MAE's step, {name}, {model['batch']} pictures of {model['side']} pixels", "s", contestants, options.rounds)
        encoder = {hidden: seconds(f"mae_encoder/model:{number}/hidden:{hidden}") for hidden in (0, 50, 75)}
        step, draw = seconds(f"mae_step/model:{number}"), seconds(f"mask_draw/model:{number}")
        ours.bench(f"mae_step/model:{number}/real_time", peak=name)
        peer = subprocess.run([sys.executable, __file__, name, str(options.threads)], check=True, capture_output=True, text=True).stdout
        print(f"\nencoder with 50 and 75% hidden: {encoder[50] / encoder[0]:.2f} and {encoder[75] / encoder[0]:.2f} of the whole's time;\n"
              f"drawing what is hidden: {100 * draw / step:.2f}% of a step (in a loader's thread); peak memory, MiB: freeatm {ours.peak[name]:.0f}, PyTorch, eager {float(peer):.0f}", flush=True)


if __name__ == "__main__":  # the peak of a process that does nothing else: python scripts/peers/masked.py MODEL THREADS
    torch.set_num_threads(int(sys.argv[2]))
    peer = Peer(MODELS[sys.argv[1]], False)
    for _ in range(WARM_UP + STEPS):
        peer.step()
    print(peak_memory())
