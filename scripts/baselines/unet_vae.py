# SPDX-License-Identifier: Apache-2.0
"""diffusers' UNet2DConditionModel and AutoencoderKL for tests/models/unet_test.cpp and vae_test.cpp:
.deps/peers/bin/python scripts/baselines/unet_vae.py

Writes tests/models/data/{unet,vae}_cases.json (configs as a config.json may say them: what a case leaves out is diffusers' default) and
{unet,vae}_cases.safetensors (sampled outputs in fp64, two numbers for the gradient of each parameter, and how far diffusers itself is off
in bf16 and fp16). Weights and inputs are hashes of their names."""
import copy
import math
import random
import tempfile

import torch
from cases import gradient_numbers, off_by, sampled, tensor, write_cases
from diffusers import AutoencoderKL, UNet2DConditionModel, logging
from hash_weights import fill_with_hash

CROSS, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
UP_CROSS, UP_PLAIN = "CrossAttnUpBlock2D", "UpBlock2D"
SCALE = {"unet": 0.15, "vae": 0.2}

UNETS = {
    # Stable Diffusion 1.x in small, on an odd grid
    "sd1": dict(config=dict(sample_size=8, block_out_channels=[16, 32, 32], layers_per_block=2, cross_attention_dim=24, attention_head_dim=4,
                            norm_num_groups=8, down_block_types=[CROSS, CROSS, PLAIN], up_block_types=[UP_PLAIN, UP_CROSS, UP_CROSS]),
                size=[9, 7], tokens=7),
    # Stable Diffusion 2.x in small: a list of heads, linear projections
    "sd2": dict(config=dict(sample_size=8, block_out_channels=[16, 24, 48], layers_per_block=2, cross_attention_dim=20,
                            attention_head_dim=[1, 3, 6], norm_num_groups=4, use_linear_projection=True, upcast_attention=True,
                            down_block_types=[CROSS, CROSS, PLAIN], up_block_types=[UP_PLAIN, UP_CROSS, UP_CROSS]),
                size=[8, 8], tokens=7),
    # cross-attention on the coarse level alone; no number is its default
    "other": dict(config=dict(sample_size=8, in_channels=3, out_channels=6, block_out_channels=[12, 24], layers_per_block=[1, 2],
                              cross_attention_dim=[10, 10], attention_head_dim=2, norm_num_groups=3, norm_eps=1e-4, flip_sin_to_cos=False,
                              freq_shift=1, down_block_types=[PLAIN, CROSS], up_block_types=[UP_CROSS, UP_PLAIN]),
                  size=[5, 6], tokens=7),
}


def random_unet(rng, levels):
    groups, width = rng.choice([2, 3, 4]), rng.choice([8, 14, 20])
    heads = [rng.choice([1, 2, 3, 4])] * levels if rng.random() < 0.4 else [rng.choice([1, 2, 3, 4]) for _ in range(levels)]
    channels = [math.lcm(2, groups, h) * rng.choice([2, 3]) for h in heads]
    down, up = [[rng.random() < 0.5 for _ in range(levels)] for _ in range(2)]
    mid = rng.choice(["UNetMidBlock2DCrossAttn", "UNetMidBlock2DCrossAttn", "UNetMidBlock2D", None])
    down[0] = down[0] or not any(down + up)
    one_or_list = lambda values: values[0] if len(set(values)) == 1 and rng.random() < 0.7 else values
    config = dict(
        block_out_channels=channels, norm_num_groups=groups, attention_head_dim=one_or_list(heads),
        layers_per_block=one_or_list([rng.choice([1, 2]) for _ in range(levels)]), cross_attention_dim=one_or_list([width] * levels),
        transformer_layers_per_block=one_or_list([rng.choice([1, 1, 2]) for _ in range(levels)]),
        down_block_types=[CROSS if c else PLAIN for c in down], up_block_types=[UP_CROSS if c else UP_PLAIN for c in up],
        mid_block_type=mid, use_linear_projection=rng.random() < 0.5, upcast_attention=rng.random() < 0.5,
        resnet_time_scale_shift=rng.choice(["default", "scale_shift"]), in_channels=rng.choice([3, 4, 5]), out_channels=rng.choice([2, 4]),
        norm_eps=rng.choice([1e-5, 1e-3]), flip_sin_to_cos=rng.random() < 0.5, freq_shift=rng.choice([0, 1]))
    # What few configs say, now and then; the last five have no effect on these blocks.
    rare = dict(conv_in_kernel=5, conv_out_kernel=1, center_input_sample=True, time_embedding_dim=18, act_fn="swish", dropout=0.4,
                resnet_skip_time_act=True, resnet_out_scale_factor=2.0, cross_attention_norm="layer_norm", mid_block_only_cross_attention=True)
    config |= {k: v for k, v in rare.items() if rng.random() < 0.35}
    return dict(config=config, size=[rng.randrange(2**(levels - 1), 14), rng.randrange(2**(levels - 1), 14)], tokens=rng.randrange(3, 10))


def random_vae(rng, levels):
    groups = rng.choice([2, 3, 4])
    config = dict(block_out_channels=[groups * rng.choice([2, 3, 5]) for _ in range(levels)], norm_num_groups=groups,
                  layers_per_block=rng.choice([1, 2]), in_channels=rng.choice([1, 3]), out_channels=rng.choice([1, 3]),
                  latent_channels=rng.choice([2, 3, 4]), scaling_factor=rng.choice([0.18215, 0.5]))
    rare = dict(mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False, act_fn="swish", force_upcast=False,
                sample_size=12)
    config |= {k: v for k, v in rare.items() if rng.random() < 0.3}
    config |= dict(down_block_types=["DownEncoderBlock2D"] * levels, up_block_types=["UpDecoderBlock2D"] * levels)
    size = [rng.randrange(2**(levels - 1) + 1, 24), rng.randrange(2**(levels - 1) + 1, 24)]
    return dict(config=config, size=size, legacy_names=config.get("mid_block_add_attention", True) and rng.random() < 0.5)


def reusing(model, depth, before, now):
    """The output for `now` where all that lies below the `depth` finest levels is what it was for `before` (DeepCache, cut between levels)."""
    below, kept = model.up_blocks[-depth - 1], []
    hook = below.register_forward_hook(lambda module, inputs, output: kept.append(output))
    model(*before)
    hook.remove()
    hook = below.register_forward_hook(lambda module, inputs, output: kept[0])
    output = model(*now).sample
    hook.remove()
    return output


def unet_values(case):
    model = fill_with_hash(UNet2DConditionModel(**case["config"]), SCALE["unet"]).eval().double()
    width = max(model.config.cross_attention_dim) if isinstance(model.config.cross_attention_dim, list) else model.config.cross_attention_dim
    sample = tensor("sample", 2, model.config.in_channels, *case["size"]).double().requires_grad_()
    states = tensor("states", 2, case["tokens"], width).double().requires_grad_()
    one_time = model(sample, 381, states).sample
    two_times = model(sample, torch.tensor([20, 999]), states).sample
    (two_times * tensor("loss", *two_times.shape)).sum().backward()
    values = dict(one_time=sampled(one_time), two_times=sampled(two_times), gradients=gradient_numbers(model, sample=sample, states=states))
    later = tensor("later", *sample.shape).double()
    for depth in range(1, len(model.up_blocks)):
        values[f"reusing_{depth}"] = sampled(reusing(model, depth, (sample, 381, states), (later, 341, states)))
    for name, dtype in dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16).items():
        with torch.no_grad():
            values[f"{name}_error"] = off_by(copy.deepcopy(model).to(dtype)(sample.to(dtype), 381, states.to(dtype)).sample, one_time)
    return values


def with_legacy_names(model):
    """The model as diffusers reads it from a file of before 0.15, whose attention has other names."""
    renamed = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    state = {}
    for name, value in model.state_dict().items():
        for today, legacy in renamed.items():
            name = name.replace(f".attentions.0.{today}.", f".attentions.0.{legacy}.")
        state[name] = value
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, state_dict=state)
        return AutoencoderKL.from_pretrained(folder)


def vae_values(case):
    model = fill_with_hash(AutoencoderKL(**case["config"]), SCALE["vae"]).eval()
    model = (with_legacy_names(model) if case["legacy_names"] else model).double()
    image = tensor("image", 2, model.config.in_channels, *case["size"]).double()
    posterior = model.encode(image).latent_dist
    decoded = model.decode(posterior.mean).sample
    loss = (posterior.logvar * tensor("loss", *posterior.logvar.shape)).sum() + (decoded * tensor("loss", *decoded.shape)).sum()
    loss.backward()
    values = dict(mean=sampled(posterior.mean), logvar=sampled(posterior.logvar), decoded=sampled(decoded), gradients=gradient_numbers(model))
    for name, dtype in dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16).items():
        with torch.no_grad():
            values[f"{name}_error"] = off_by(copy.deepcopy(model).to(dtype).decode(posterior.mean.to(dtype)).sample, decoded)
    return values


if __name__ == "__main__":
    logging.set_verbosity_error()
    rng = random.Random(14)
    unets = UNETS | {f"random_{i}": random_unet(rng, 1 + i % 4) for i in range(16)}
    vaes = {f"random_{i}": random_vae(rng, 1 + i % 4) for i in range(12)}
    write_cases("unet", unets, unet_values)
    write_cases("vae", vaes, vae_values)
