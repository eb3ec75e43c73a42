# SPDX-License-Identifier: Apache-2.0
"""ViTDet's backbone, a ViT-B with windows at 512 pixels: the gradients of one picture, beside transformers' VitDetModel, eager and compiled."""
import torch
from transformers import VitDetConfig, VitDetModel

from peers.masked import median_seconds
from peers.train import Freeatm

SIDE, WINDOW_BLOCKS = 512, [0, 1, 3, 4, 6, 7, 9, 10]


class Peer:
    def __init__(self, relative, compiled):
        torch.manual_seed(0)
        config = VitDetConfig(image_size=SIDE, pretrain_image_size=SIDE, window_size=14, window_block_indices=WINDOW_BLOCKS,
                              use_relative_position_embeddings=relative)
        self.model = VitDetModel(config)
        self.run = torch.compile(self.model) if compiled else self.model
        self.images = torch.randn(1, 3, SIDE, SIDE)

    def step(self):
        self.model.zero_grad(set_to_none=True)
        self.run(self.images).last_hidden_state.square().mean().backward()

    def seconds(self):
        return median_seconds(self.step)


def run(options, compare):
    torch.set_num_threads(options.threads)
    ours = Freeatm(options, None)
    for title, case, relative in (("windows", 1, False), ("windows and relative positions", 2, True)):
        contestants = {"freeatm": lambda case=case: ours.bench(f"vitdet_gradients/{case}/real_time")["real_time"] / 1000}
        for name in ["eager"] if options.no_compile else ["eager", "compiled"]:
            contestants[f"transformers, {name}"] = Peer(relative, name == "compiled").seconds
        compare(f"ViT-B at {SIDE} px in {title}, gradients of a picture", "s", contestants, options.rounds)
