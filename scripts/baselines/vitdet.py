# SPDX-License-Identifier: Apache-2.0
"""transformers' VitDetModel for tests/models/vitdet_test.cpp: .deps/peers/bin/python scripts/baselines/vitdet.py

Weights come from hash_weights.py under our names; behind the model stands our last norm, which theirs lacks. Positions of another grid are
resized as timm does (with antialias), which theirs does not. Stored, in fp64: samples of the grid, and each parameter's gradient as a product
with a hash of its name."""
import torch
from cases import gradient_numbers, sampled, tensor, write_cases
from hash_weights import hash_array
from timm.layers import resample_abs_pos_embed
from transformers import VitDetConfig, VitDetModel

# detectron2's for ViT-B; the same spacing for a smaller one
WINDOW_BLOCKS = {12: [0, 1, 3, 4, 6, 7, 9, 10], 8: [0, 2, 4, 6]}


def options(image_size=40, depth=8, window_size=4, relative_positions=False):
    return {"image_size": image_size, "patch_size": 4, "dim": 16, "depth": depth, "heads": 2, "mlp_ratio": 2.0, "class_token": False,
            "global_pool": "avg", "window_size": window_size, "relative_positions": relative_positions}


CASES = {
    "whole_windows": {"options": options(image_size=32), "shape": [2, 3, 32, 32]},
    "filled_up": {"options": options(depth=12), "shape": [2, 3, 40, 40]},  # 10 x 10 patches in windows of 4
    "wide": {"options": options(), "shape": [2, 3, 24, 56]},
    "relative": {"options": options(relative_positions=True), "shape": [2, 3, 40, 40]},
    "relative_wide": {"options": options(relative_positions=True), "shape": [2, 3, 24, 56]},  # another grid than was learnt
    "relative_without_windows": {"options": options(window_size=0, relative_positions=True), "shape": [1, 3, 40, 40]},
}


def build(o):
    model = VitDetModel(VitDetConfig(
        image_size=o["image_size"], pretrain_image_size=o["image_size"], patch_size=o["patch_size"], hidden_size=o["dim"],
        num_hidden_layers=o["depth"], num_attention_heads=o["heads"], mlp_ratio=2, window_size=o["window_size"],
        window_block_indices=WINDOW_BLOCKS[o["depth"]] if o["window_size"] else [],
        use_relative_position_embeddings=o["relative_positions"]))
    model.embeddings.get_absolute_positions = lambda positions, _, height, width: resample_abs_pos_embed(
        positions[:, 1:], [height, width], num_prefix_tokens=0).unflatten(1, (height, width))
    model.fc_norm = torch.nn.LayerNorm(o["dim"], eps=1e-6)
    return model


def own_name(name):
    for theirs, ours in (("embeddings.position_embeddings", "pos_embed"), ("embeddings.projection", "patch_embed.proj"),
                         ("encoder.layer.", "blocks."), (".attention.", ".attn.")):
        name = name.replace(theirs, ours)
    return name


def values_of(data):
    model = build(data["options"])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = parameter[:, 1:] if name.endswith("position_embeddings") else parameter  # the first is a class token's
            norm = value.dim() == 1 and name.endswith("weight")
            value.copy_(torch.from_numpy(hash_array(own_name(name), tuple(value.shape), 0.3)) + (1.0 if norm else 0.0))
    model = model.double()
    grid = model.fc_norm(model(tensor("images", *data["shape"]).double()).last_hidden_state.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    (grid * tensor("loss", *grid.shape)).sum().backward()
    renamed = torch.nn.Module()
    parameters = dict((own_name(name), parameter) for name, parameter in model.named_parameters())
    positions = parameters["pos_embed"]
    parameters["pos_embed"] = positions[:, 1:].detach().clone()
    parameters["pos_embed"].grad = positions.grad[:, 1:]
    renamed.named_parameters = parameters.items
    return {"grid": sampled(grid.contiguous()), "gradients": gradient_numbers(renamed)}


if __name__ == "__main__":
    write_cases("vitdet", CASES, values_of)
