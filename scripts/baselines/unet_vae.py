# SPDX-License-Identifier: Apache-2.0
"""Small UNets and autoencoders of diffusers for tests/models/unet_test.cpp and vae_test.cpp: python scripts/baselines/unet_vae.py

Weights come from hash_weights.py, so only configs and outputs are stored: tests/models/data/NAME/config.json and values.safetensors."""
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from hash_weights import fill_with_hash, hash_array
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "tests/models/data"
CROSS, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
UP_CROSS, UP_PLAIN = "CrossAttnUpBlock2D", "UpBlock2D"

UNETS = {
    # Stable Diffusion 1.x in small, on an odd grid
    "unet_sd1": dict(sample_size=8, block_out_channels=[16, 32, 32], layers_per_block=2, cross_attention_dim=24, attention_head_dim=4,
                     norm_num_groups=8, down_block_types=[CROSS, CROSS, PLAIN], up_block_types=[UP_PLAIN, UP_CROSS, UP_CROSS], size=[9, 7]),
    # Stable Diffusion 2.x in small: a list of heads, linear projections, attention in fp32
    "unet_sd2": dict(sample_size=8, block_out_channels=[16, 24, 48], layers_per_block=2, cross_attention_dim=20, attention_head_dim=[1, 3, 6],
                     norm_num_groups=4, use_linear_projection=True, upcast_attention=True, down_block_types=[CROSS, CROSS, PLAIN],
                     up_block_types=[UP_PLAIN, UP_CROSS, UP_CROSS], size=[8, 8]),
    # whatever else a config may say
    "unet_other": dict(sample_size=8, in_channels=3, out_channels=6, block_out_channels=[12, 24], layers_per_block=[1, 2],
                       cross_attention_dim=[10, 10], attention_head_dim=2, norm_num_groups=3, norm_eps=1e-4, flip_sin_to_cos=False,
                       freq_shift=1, down_block_types=[PLAIN, CROSS], up_block_types=[UP_CROSS, UP_PLAIN], size=[5, 6]),
}
VAES = {
    "vae_sd": dict(block_out_channels=[8, 16, 16], layers_per_block=2, norm_num_groups=4, size=[18, 22]),
    "vae_other": dict(in_channels=1, out_channels=1, latent_channels=3, block_out_channels=[12, 24], layers_per_block=1, norm_num_groups=6,
                      mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False, size=[10, 7]),
}
SCALE = {"unet": 0.15, "vae": 0.2}


def tensor(name, *shape):
    return torch.from_numpy(hash_array(name, shape))


def write(name, model, inputs_and_outputs):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    config = {k: v for k, v in model.config.items() if k not in ("_use_default_values", "_name_or_path")}
    (folder / "config.json").write_text(json.dumps({"_class_name": type(model).__name__, **config}, indent=1) + "\n")
    save_file({k: v.contiguous() for k, v in inputs_and_outputs.items()}, folder / "values.safetensors")


def unet(name, size, **config):
    model = fill_with_hash(UNet2DConditionModel(**config), SCALE["unet"]).eval()
    sample = tensor("sample", 2, model.config.in_channels, *size)
    width = np.max(model.config.cross_attention_dim)
    states = tensor("states", 2, 7, int(width))
    write(name, model, dict(sample=sample, states=states, one_time=model(sample, 381, states).sample,
                            two_times=model(sample, torch.tensor([20, 999]), states).sample))


def vae(name, size, **config):
    model = fill_with_hash(
        AutoencoderKL(down_block_types=["DownEncoderBlock2D"] * len(config["block_out_channels"]),
                      up_block_types=["UpDecoderBlock2D"] * len(config["block_out_channels"]), **config), SCALE["vae"]).eval()
    image = tensor("image", 2, model.config.in_channels, *size)
    latents = model.encode(image).latent_dist
    write(name, model, dict(image=image, mean=latents.mean, logvar=latents.logvar, decoded=model.decode(latents.mean).sample))


if __name__ == "__main__":
    with torch.no_grad():
        for name, config in UNETS.items():
            unet(name, **config)
        for name, config in VAES.items():
            vae(name, **config)
