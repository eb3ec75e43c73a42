# SPDX-License-Identifier: Apache-2.0
"""timm's VisionTransformer for tests/models/vit_test.cpp and vit_slow_test.cpp, and the names of timm's backbones: python scripts/baselines/vit.py

Weights come from hash_weights.py. Stored, in fp64: samples of the pooled features and of the grid, and each parameter's gradient as a
product with a hash of its name; fixed positions; positions of another grid."""
import json

import timm
import torch
import torchvision
from cases import DATA, gradient_numbers, sampled, tensor, write_cases
from hash_weights import fill_with_hash
from resnet import Scale
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed
from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed
from timm.models.vision_transformer import VisionTransformer
from timm.optim import param_groups_layer_decay


def options(image_size=64, patch_size=8, dim=128, depth=6, heads=4, class_token=True, global_pool="token"):
    return {"image_size": image_size, "patch_size": patch_size, "dim": dim, "depth": depth, "heads": heads, "mlp_ratio": 4.0,
            "class_token": class_token, "global_pool": global_pool}


CASES = {
    "nano": {"options": options(), "shape": [2, 3, 64, 64]},
    "nano_mean": {"options": options(global_pool="avg"), "shape": [2, 3, 64, 64]},
    "nano_without_token": {"options": options(class_token=False, global_pool="avg"), "shape": [2, 3, 64, 64]},
    "nano_wide_picture": {"options": options(), "shape": [2, 3, 40, 96]},  # another grid
    "nano_paths": {"options": options(), "shape": [3, 3, 64, 64], "branches": 12},
    "tiny": {"options": options(224, 16, 192, 12, 3), "shape": [1, 3, 224, 224]},
    "small": {"options": options(224, 16, 384, 12, 6, global_pool="avg"), "shape": [2, 3, 96, 128]},
    "base_two_blocks": {"options": options(224, 16, 768, 2, 12), "shape": [1, 3, 64, 64]},
}


# timm's own models, whole, under the names of configs/model: at their own size and at another one.
WHOLE_CASES = {name: {"timm": f"{name}_patch16_224", "shape": shape}
               for name, shape in (("vit_tiny", [2, 3, 224, 224]), ("vit_small", [1, 3, 192, 256]), ("vit_base", [1, 3, 224, 224]))}


def build(o):
    return VisionTransformer(img_size=o["image_size"], patch_size=o["patch_size"], embed_dim=o["dim"], depth=o["depth"], num_heads=o["heads"],
                             mlp_ratio=o["mlp_ratio"], class_token=o["class_token"], global_pool=o["global_pool"], num_classes=0,
                             dynamic_img_size=True)


def values_of(data):
    model = fill_with_hash(build(data["options"]), 0.1).double()
    images = tensor("images", *data["shape"]).double()
    if "branches" in data:
        scales = tensor("scales", data["shape"][0], data["branches"])
        for i, block in enumerate(model.blocks):
            block.drop_path1, block.drop_path2 = Scale(scales[:, 2 * i]), Scale(scales[:, 2 * i + 1])
    patch = data["options"]["patch_size"]
    patches = model.fc_norm(model.forward_features(images)[:, model.num_prefix_tokens:])
    grid = patches.transpose(1, 2).reshape(images.shape[0], -1, images.shape[2] // patch, images.shape[3] // patch)
    features = model(images)
    (features * tensor("loss", *features.shape)).sum().backward()
    return {"features": sampled(features), "grid": sampled(grid), "gradients": gradient_numbers(model)}


def values_of_whole(data):
    model = fill_with_hash(timm.create_model(data["timm"], num_classes=0, dynamic_img_size=True), 0.05).double()
    images = tensor("images", *data["shape"]).double()
    features = model(images)
    (features * tensor("loss", *features.shape)).sum().backward()
    return {"features": sampled(features), "gradients": gradient_numbers(model)}


def write_names():
    """Of each model its tensors and their shapes, without counts of batches and classifiers; torchvision's are the same."""
    def shapes(model, heads):
        return {name: list(value.shape) for name, value in model.state_dict().items() if not name.startswith(heads) and "num_batches" not in name}

    named = {name: shapes(timm.create_model(name, num_classes=0), ()) for name in
             ("resnet18", "resnet34", "resnet50", "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224")}
    for name in ("resnet18", "resnet34", "resnet50"):
        assert named[name] == shapes(getattr(torchvision.models, name)(), ("fc.",))
    lines = [f"{json.dumps(name)}: {json.dumps(tensors, separators=(',', ':'))}" for name, tensors in named.items()]
    (DATA / "backbone_names.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def mae_layer(name, blocks):
    """The layer of a parameter in MAE's param_groups_lrd (He et al. 2022, util/lr_decay.py), of blocks + 1."""
    if name in ("cls_token", "pos_embed") or name.startswith("patch_embed"):
        return 0
    return int(name.split(".")[1]) + 1 if name.startswith("blocks") else blocks + 1


def write_layer_decay():
    """Learning-rate scale and whether weights decay, of each parameter."""
    models = {"resnet18": timm.create_model("resnet18", num_classes=5), "vit": build(options(depth=3, global_pool="avg"))}
    models["vit"].reset_classifier(5)
    table = {}
    for key, model in models.items():
        skipped = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
        groups = param_groups_layer_decay(model, weight_decay=1.0, no_weight_decay_list=skipped, layer_decay=0.75)
        names = {id(parameter): name.replace("fc.", "head.") if name.startswith("fc.") else name for name, parameter in model.named_parameters()}
        table[key] = {names[id(p)]: [group["lr_scale"], group["weight_decay"]] for group in groups for p in group["params"]}
    for name, (scale, _) in table["vit"].items():  # timm's groups are MAE's
        assert abs(scale - 0.75 ** (3 + 1 - mae_layer(name, 3))) < 1e-12, name
    lines = [f"{json.dumps(name)}: {json.dumps(rows, separators=(',', ':'))}" for name, rows in table.items()]
    (DATA.parents[1] / "objectives/data/layer_decay.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write_cases("vit", CASES, values_of)
    write_cases("vit_whole", WHOLE_CASES, values_of_whole)
    positions = tensor("positions", 1, 1 + 25, 12)
    save_file({"sincos": build_sincos2d_pos_embed([5, 7], 32, interleave_sin_cos=True).contiguous(),
               "larger": resample_abs_pos_embed(positions, [7, 9], [5, 5]), "smaller": resample_abs_pos_embed(positions, [2, 3], [5, 5]),
               "without_token": resample_abs_pos_embed(positions[:, 1:], [3, 3], [5, 5], num_prefix_tokens=0)},
              DATA / "vit_positions.safetensors")
    write_names()
    write_layer_decay()
