# SPDX-License-Identifier: Apache-2.0
"""Stable Diffusion 1.5's and 2.1's widths, for tests/models/full_width_test.cpp: .deps/peers/bin/python scripts/baselines/full_width.py

Each kind of block of both UNets (one layer each), the autoencoder, and one layer of both text encoders with their whole vocabularies.
Writes tests/models/data/full_width_cases.{json,safetensors}; weights and inputs are hashes of their names."""
import torch
from cases import off_by, sampled, tensor, write_cases
from diffusers import AutoencoderKL, UNet2DConditionModel
from hash_weights import fill_with_hash
from transformers import CLIPTextConfig, CLIPTextModel

SCALE = 0.03
UNETS = {
    "sd15": dict(layers_per_block=1, cross_attention_dim=768, attention_head_dim=8),
    "sd21": dict(layers_per_block=1, cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True),
}
BLOCKS = {
    "down_blocks.1": dict(x=[1, 320, 10, 7], skips=[]),
    "down_blocks.3": dict(x=[1, 1280, 5, 4], skips=[]),
    "mid_block": dict(x=[1, 1280, 5, 4], skips=[]),
    "up_blocks.0": dict(x=[1, 1280, 3, 4], skips=[[1, 1280, 3, 4], [1, 1280, 3, 4]]),
    "up_blocks.2": dict(x=[1, 1280, 6, 5], skips=[[1, 320, 6, 5], [1, 640, 6, 5]]),  # the last is taken first
}
VAE = dict(block_out_channels=[128, 256, 512, 512], layers_per_block=2, down_block_types=["DownEncoderBlock2D"] * 4,
           up_block_types=["UpDecoderBlock2D"] * 4)
TEXTS = {
    "sd15": dict(hidden_size=768, num_attention_heads=12, intermediate_size=3072, num_hidden_layers=1),
    "sd21": dict(hidden_size=1024, num_attention_heads=16, intermediate_size=4096, num_hidden_layers=1, hidden_act="gelu"),
}


def block_output(case):
    with torch.device("meta"):
        model = UNet2DConditionModel(**case["config"])
    block = fill_with_hash(model.get_submodule(case["block"]).to_empty(device="cpu"), SCALE).eval()

    def run(dtype):
        inputs = dict(hidden_states=tensor("x", *case["x"]).to(dtype), temb=tensor("time", 1, 1280).to(dtype))
        if getattr(block, "has_cross_attention", False):
            inputs["encoder_hidden_states"] = tensor("states", 1, 77, case["config"]["cross_attention_dim"]).to(dtype)
        if case["skips"]:
            inputs["res_hidden_states_tuple"] = tuple(tensor(f"skip{i}", *s).to(dtype) for i, s in enumerate(case["skips"]))
        output = block.to(dtype)(**inputs)
        return output[0] if isinstance(output, tuple) else output

    fp32, exact = run(torch.float32), run(torch.float64)
    return dict(output=sampled(exact), fp32_error=off_by(fp32, exact))


def vae_output(case):
    model = fill_with_hash(AutoencoderKL(**case["config"]), SCALE).eval()
    fp32 = model.decode(model.encode(tensor("image", 1, 3, 40, 24)).latent_dist.mean).sample
    mean = model.double().encode(tensor("image", 1, 3, 40, 24).double()).latent_dist.mean
    exact = model.decode(mean).sample
    return dict(mean=sampled(mean), output=sampled(exact), fp32_error=off_by(fp32, exact))


def text_output(case):
    model = fill_with_hash(CLIPTextModel(CLIPTextConfig(**case["config"])), SCALE).eval()
    ids = torch.arange(77).reshape(1, -1) * 641 % 49408
    fp32, exact = model(ids).last_hidden_state, model.double()(ids).last_hidden_state
    return dict(output=sampled(exact), fp32_error=off_by(fp32, exact))


if __name__ == "__main__":
    cases = {f"{name} {block}": dict(config=config, block=block, **shapes) for name, config in UNETS.items() for block, shapes in BLOCKS.items()}
    cases["vae"] = dict(config=VAE)
    cases |= {f"{name} text": dict(config=config, text=True) for name, config in TEXTS.items()}
    with torch.no_grad():
        write_cases("full_width", cases, lambda case: (block_output if "block" in case else text_output if "text" in case else vae_output)(case))
