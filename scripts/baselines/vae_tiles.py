# SPDX-License-Identifier: Apache-2.0
"""What diffusers' AutoencoderKL decodes in tiles, for tests/diffusion/picture_codec_test.cpp:
.deps/peers/bin/python scripts/baselines/vae_tiles.py

The autoencoder is that of tests/diffusion/data/sd1_like with hashed weights. Writes tests/diffusion/data/vae_tiles.safetensors: each third
row and column of what becomes of hashed latents of 72 x 40 in tiles of 32."""
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from hash_weights import fill_with_hash, hash_array
from safetensors.torch import save_file

DATA = Path(__file__).resolve().parents[2] / "tests/diffusion/data"
vae = fill_with_hash(AutoencoderKL.from_config(AutoencoderKL.load_config(DATA / "sd1_like/vae")), 0.2).eval()
vae.enable_tiling()
vae.tile_latent_min_size, vae.tile_sample_min_size, vae.tile_overlap_factor = 32, 128, 0.25
with torch.no_grad():
    pixels = vae.decode(torch.from_numpy(hash_array("latents", (1, 4, 72, 40)))).sample
save_file({"pixels": pixels[:, :, ::3, ::3].contiguous()}, DATA / "vae_tiles.safetensors")
