# SPDX-License-Identifier: Apache-2.0
"""A diffusers folder of Stable Diffusion 1.5's width with random weights, for speed alone. Its text encoder has the names and the 49,408 rows of
Stable Diffusion 1.5's, which stable-diffusion.cpp takes for granted, though the tokenizer beside it knows fewer words."""
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TOKENIZER = Path(__file__).resolve().parents[2] / "models/emoji/tokenizer"


def make_wide_folder(folder):
    """For 256 x 256 pixels; 4.1 GB."""
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER, model_max_length=77)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                                        max_position_embeddings=tokenizer.model_max_length))
    unet = UNet2DConditionModel(sample_size=32, cross_attention_dim=768, attention_head_dim=8)
    vae = AutoencoderKL(block_out_channels=(128, 256, 512, 512), down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                        layers_per_block=2, latent_channels=4)
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    StableDiffusionPipeline(vae, text, tokenizer, unet, scheduler, None, None, requires_safety_checker=False).save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):  # what DAAM's transformers reads instead of tokenizer.json
        shutil.copy(TOKENIZER / name, folder / "tokenizer")
    weights = folder / "text_encoder/model.safetensors"  # transformers 5 writes names without the prefix that older programs know
    save_file({f"text_model.{name}": tensor for name, tensor in load_file(weights).items()}, weights, metadata={"format": "pt"})


def of_side(folder, side, out):
    """The same weights for pictures of side x side pixels: links, and a UNet's configuration that says so."""
    out.mkdir()
    for part in folder.iterdir():
        if part.name != "unet":
            (out / part.name).symlink_to(part.resolve())
    (out / "unet").mkdir()
    for part in (folder / "unet").iterdir():
        if part.name != "config.json":
            (out / "unet" / part.name).symlink_to(part.resolve())
    config = json.loads((folder / "unet/config.json").read_text())
    (out / "unet/config.json").write_text(json.dumps(config | {"sample_size": side // 8}))
    return out
