# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/emoji_expected: what diffusers makes of a Stable Diffusion folder, from weights as stored, computed in fp32 on the CPU:
.deps/peers/bin/python scripts/baselines/diffusion.py models/emoji tests/data/emoji_expected

seed_I.png       the picture of caption I with seed I (25 steps, guidance 4)
expected.json    captions, settings, each caption's tokens
values.safetensors
  input_ids, text_hidden              the tokenizer's and the text encoder's output for all captions
  unet_in, unet_timestep, unet_out    one pass of the UNet, with the first two captions
  latents, decoded                    seed 0 before the VAE, and after it: in [-1, 1], not clamped
  encoded_mean, encoded_logvar        of seed_1.png, before scaling_factor
  layer_maps.LAYER                    [tokens, h, w] of caption and seed 1: the cross-attention that each token between start and end gets,
                                      conditional half, mean over the steps and heads
  token_maps                          [tokens, side, side]: mean over all layers, resized to the finest grid, not normalised"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import save_file

CAPTIONS = ["a photo of a dog on the grass", "a cat and a pizza in the snow", "a picture of a car", "a photo of a fire truck at night",
            "an apple to the left of a panda in the sky", "a banana above a rocket", "A Watermelon, on a wooden floor!",
            "a frog, a cake and a clock on the sand"]
STEPS, GUIDANCE = 25, 4.0
MAPPED = 1  # the caption (and seed) whose maps are kept


def draw(pipe, index, **options):
    return pipe(CAPTIONS[index], num_inference_steps=STEPS, guidance_scale=GUIDANCE,
                generator=torch.Generator("cpu").manual_seed(index), **options).images


def text_values(pipe):
    ids = pipe.tokenizer(CAPTIONS, padding="max_length", max_length=pipe.tokenizer.model_max_length, truncation=True).input_ids
    ids = torch.tensor(ids)
    return dict(input_ids=ids, text_hidden=pipe.text_encoder(ids).last_hidden_state)


def unet_values(pipe, text_hidden):
    side = pipe.unet.config.sample_size
    latents, timestep = torch.randn(2, 4, side, side, generator=torch.Generator().manual_seed(123)), 481
    return dict(unet_in=latents, unet_timestep=torch.tensor([timestep] * 2),
                unet_out=pipe.unet(latents, timestep, text_hidden[:2]).sample)


def vae_values(pipe, picture):
    latents = draw(pipe, 0, output_type="latent")
    pixels = torch.from_numpy(np.array(Image.open(picture))).permute(2, 0, 1)[None].float() / 127.5 - 1
    encoded = pipe.vae.encode(pixels).latent_dist
    return dict(latents=latents, decoded=pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample,
                encoded_mean=encoded.mean, encoded_logvar=encoded.logvar)


class MapKeeper:
    """An attention processor that writes out the probabilities and sums those of cross-attention over the steps."""

    def __init__(self, name, sums):
        self.name, self.sums = name, sums

    def __call__(self, attention, hidden_states, encoder_hidden_states=None, **_):
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        projected = attention.to_q(hidden_states), attention.to_k(context), attention.to_v(context)
        query, key, value = (attention.head_to_batch_dim(x) for x in projected)
        probabilities = (query @ key.transpose(1, 2) * attention.scale).softmax(-1)
        if encoder_hidden_states is not None:
            conditional = probabilities.view(-1, attention.heads, *probabilities.shape[1:])[-1]  # guided, the second half of the batch
            self.sums[self.name] = self.sums.get(self.name, 0) + conditional.mean(0).double()
        return attention.to_out[0](attention.batch_to_head_dim(probabilities @ value))


def map_values(pipe, tokens):
    sums = {}
    pipe.unet.set_attn_processor({name: MapKeeper(name, sums) for name in pipe.unet.attn_processors})
    draw(pipe, MAPPED)
    values, total = {}, 0
    for name, summed in sums.items():
        maps = (summed / STEPS).T[1:tokens + 1]  # [tokens, h * w]
        side = int(maps.shape[1] ** 0.5)
        maps = maps.view(-1, side, side).float()
        values["layer_maps." + name.replace(".processor", "")] = maps
        total = total + F.interpolate(maps[:, None], size=pipe.unet.config.sample_size, mode="bilinear", align_corners=False)[:, 0]
    return values | dict(token_maps=total / len(sums))


@torch.no_grad()
def main():
    folder, out = sys.argv[1], Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    for i in range(len(CAPTIONS)):
        draw(pipe, i)[0].save(out / f"seed_{i}.png")

    values = text_values(pipe)
    ids = values["input_ids"]
    lengths = [int((row != pipe.tokenizer.pad_token_id).sum()) + 1 for row in ids]  # with the start and the end token
    values |= unet_values(pipe, values["text_hidden"]) | vae_values(pipe, out / "seed_1.png") | map_values(pipe, lengths[MAPPED] - 2)
    save_file({name: value.contiguous() for name, value in values.items()}, out / "values.safetensors")

    tokens = [pipe.tokenizer.convert_ids_to_tokens(row.tolist())[:length] for row, length in zip(ids, lengths)]
    settings = dict(captions=CAPTIONS, seeds=list(range(len(CAPTIONS))), steps=STEPS, guidance_scale=GUIDANCE, negative_prompt="",
                    token_maps_of_seed=MAPPED, tokens=tokens)
    (out / "expected.json").write_text(json.dumps(settings, indent=1))


if __name__ == "__main__":
    main()
