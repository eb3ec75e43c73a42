# SPDX-License-Identifier: Apache-2.0
"""Two tiny Stable Diffusion folders and what diffusers draws from them, for tests/diffusion/folders_test.cpp:
.deps/peers/bin/python scripts/baselines/tiny_folders.py

Weights come from hash_weights.py, so only configs and tokenizers are stored: tests/diffusion/data/NAME as save_pretrained leaves it.
NAME/expected.safetensors: RUN.pictures uint8 [2, H, W, 3] (the runs' settings are its metadata), and of the first run's first picture
looked at again: reobserved [tokens, h, w], one layer's cross-attention summed over two timesteps."""
import json
import shutil
import tempfile
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from diffusion import MapKeeper
from hash_weights import fill_with_hash
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

OUT = Path(__file__).resolve().parents[2] / "tests/diffusion/data"
CAPTIONS, SEEDS, LENGTH = ["a dog and two cats", "A zebra on the grass!"], [5, 4294967295], 12
LAYER, TIMESTEPS = "up_blocks.1.attentions.0.transformer_blocks.0.attn2", (100, 400)
CROSS, PLAIN, UP_CROSS, UP_PLAIN = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, set_alpha_to_one=False)
FOLDERS = {
    "sd1_like": dict(unet=dict(attention_head_dim=4, cross_attention_dim=24),
                     text=dict(hidden_act="quick_gelu", hidden_size=24), pad="<|endoftext|>",
                     scheduler=diffusers.PNDMScheduler(**BETAS, skip_prk_steps=True)),
    "sd2_like": dict(unet=dict(attention_head_dim=[1, 3], cross_attention_dim=20, use_linear_projection=True, upcast_attention=True),
                     text=dict(hidden_act="gelu", hidden_size=20), pad="!",
                     scheduler=diffusers.DDIMScheduler(**BETAS, clip_sample=False, prediction_type="v_prediction")),
}
RUNS = {  # the sampler's options; what is not said is 12 steps, guidance 4
    "plain": dict(steps=25),
    "odd_size": dict(height=24, width=40, negative_prompt="two cats"),
    "unguided": dict(guidance_scale=1),
    "rescaled": dict(guidance_rescale=0.7, guidance_scale=9),
    "interval": dict(guidance_interval=[400, 1000]),
    "stochastic": dict(scheduler="ddim", eta=0.6),
    "pndm": dict(scheduler="pndm"),
    "euler": dict(scheduler="euler"),
    "dpm": dict(scheduler="dpm++"),
}
CLASSES = {
    "ddim": diffusers.DDIMScheduler, "pndm": diffusers.PNDMScheduler, "euler": diffusers.EulerDiscreteScheduler,
    "dpm++": diffusers.DPMSolverMultistepScheduler,
}
CONFIGS = ("model_index.json", "text_encoder/config.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json")


def write_tokenizer(folder, pad):
    """As in Stable Diffusion's own folders, with a vocabulary of the bytes and a few merges."""
    byte = [chr(b) for b in (*range(33, 127), *range(161, 173), *range(174, 256))]
    byte += [chr(256 + i) for i in range(256 - len(byte))]
    merges = ["a t", "d o", "do g</w>", "c at", "cat s</w>", "t w", "tw o</w>", "a n", "an d</w>", "g r"]
    pieces = byte + [b + "</w>" for b in byte] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    special = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>", pad_token=pad)
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(special, model_max_length=LENGTH, tokenizer_class="CLIPTokenizer")))


def pipeline(tokens, unet, text, scheduler):
    config = CLIPTextConfig(vocab_size=len(tokens), max_position_embeddings=LENGTH, intermediate_size=32, num_hidden_layers=2,
                            num_attention_heads=2, pad_token_id=tokens.pad_token_id, bos_token_id=tokens.bos_token_id,
                            eos_token_id=tokens.eos_token_id, **text)
    encoder = CLIPTextModel(config)
    denoiser = UNet2DConditionModel(sample_size=8, block_out_channels=[16, 24], layers_per_block=1, norm_num_groups=4,
                                    down_block_types=[CROSS, PLAIN], up_block_types=[UP_PLAIN, UP_CROSS], **unet)
    vae = AutoencoderKL(block_out_channels=[8, 8, 16], down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3,
                        norm_num_groups=4, sample_size=32)
    for model, scale in ((encoder, 0.3), (denoiser, 0.12), (vae, 0.2)):
        fill_with_hash(model, scale).eval()
    pipe = StableDiffusionPipeline(vae, encoder, tokens, denoiser, scheduler, None, None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def stop_guidance_below(timestep):
    """diffusers' own way to end guidance before the last step."""

    def callback(pipe, i, t, kwargs):
        following = pipe.scheduler.timesteps[i + 1] if i + 1 < len(pipe.scheduler.timesteps) else t
        if pipe.do_classifier_free_guidance and following < timestep:
            pipe._guidance_scale = 0.0
            kwargs["prompt_embeds"] = kwargs["prompt_embeds"].chunk(2)[1]
        return kwargs

    return dict(callback_on_step_end=callback, callback_on_step_end_tensor_inputs=["prompt_embeds"])


def with_scheduler(pipe, folder, name):
    scheduler = CLASSES[name].from_pretrained(folder, subfolder="scheduler")
    other = StableDiffusionPipeline(**pipe.components | dict(scheduler=scheduler), requires_safety_checker=False)
    other.set_progress_bar_config(disable=True)
    return other


def draw(pipe, folder, steps=12, guidance_scale=4, scheduler=None, guidance_interval=None, **options):
    if scheduler:
        pipe = with_scheduler(pipe, folder, scheduler)
    if guidance_interval:
        options |= stop_guidance_below(guidance_interval[0])
    if "negative_prompt" in options:
        options["negative_prompt"] = [options["negative_prompt"]] * len(CAPTIONS)
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in SEEDS]
    options |= dict(num_inference_steps=steps, guidance_scale=guidance_scale, generator=generators)
    pictures = pipe(CAPTIONS, output_type="np", **options).images
    return torch.from_numpy((pictures * 255).round().astype(np.uint8))


def reobserve(pipe, picture):
    ids = pipe.tokenizer(CAPTIONS[:1], padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids
    hidden = pipe.text_encoder(ids).last_hidden_state
    latents = pipe.vae.encode(picture.permute(2, 0, 1)[None].float() / 127.5 - 1).latent_dist.mean * pipe.vae.config.scaling_factor
    noise = torch.randn(latents.shape, generator=torch.Generator("cpu").manual_seed(SEEDS[0]))
    sums = {}
    pipe.unet.set_attn_processor({name: MapKeeper(name, sums) for name in pipe.unet.attn_processors})
    for t in TIMESTEPS:
        pipe.unet(pipe.scheduler.add_noise(latents, noise, torch.tensor([t])), t, hidden)
    return sums[LAYER + ".processor"].T.reshape(LENGTH, *latents.shape[2:]).float()


def write(name, pad, **parts):
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    write_tokenizer(folder / "tokenizer", pad)
    pipe = pipeline(CLIPTokenizer.from_pretrained(folder / "tokenizer", pad_token=pad), **parts)
    with tempfile.TemporaryDirectory() as saved:
        pipe.save_pretrained(saved)
        for config in CONFIGS:
            (folder / config).parent.mkdir(exist_ok=True)
            shutil.copy(Path(saved, config), folder / config)
    runs = {run: options for run, options in RUNS.items() if run != "interval" or name == "sd2_like"}  # PNDM repeats a timestep
    tensors = {f"{run}.pictures": draw(pipe, folder, **options) for run, options in runs.items()}
    tensors["reobserved"] = reobserve(pipe, tensors["plain.pictures"][0])
    metadata = {run: json.dumps(options) for run, options in runs.items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "expected.safetensors", metadata)
    for run in runs:
        print(name, run, "deviation of the pixels: %.1f" % tensors[f"{run}.pictures"].float().std())


if __name__ == "__main__":
    with torch.no_grad():
        for name, parts in FOLDERS.items():
            write(name, **parts)
