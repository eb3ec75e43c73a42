# SPDX-License-Identifier: Apache-2.0
"""Every key of the constructors of diffusers' UNet2DConditionModel and AutoencoderKL and of transformers' CLIPTextConfig:
.deps/peers/bin/python scripts/baselines/config_defaults.py

Writes tests/models/data/config_keys.json: {class: {key: {"default": ..., "other": another value}}}. The test tries each other value and
holds docs/diffusers-folders.md to what it sees."""
import inspect
import json
from pathlib import Path

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig

DOWN, UP = ["CrossAttnDownBlock2D"] * 4, ["CrossAttnUpBlock2D"] * 4
OTHER = {
    "UNet2DConditionModel": dict(
        sample_size=96, in_channels=9, out_channels=8, center_input_sample=True, flip_sin_to_cos=False, freq_shift=1, down_block_types=DOWN,
        mid_block_type=None, up_block_types=UP, only_cross_attention=True, block_out_channels=[64, 128, 256, 512], layers_per_block=[1, 2, 2, 3],
        downsample_padding=0, mid_block_scale_factor=2, dropout=0.1, act_fn="gelu", norm_num_groups=16, norm_eps=1e-6, cross_attention_dim=768,
        transformer_layers_per_block=[1, 2, 4, 1], reverse_transformer_layers_per_block=[1, 1, 1, 1], encoder_hid_dim=768,
        encoder_hid_dim_type="text_proj", attention_head_dim=[5, 10, 20, 20], num_attention_heads=8, dual_cross_attention=True,
        use_linear_projection=True, class_embed_type="timestep", addition_embed_type="text_time", addition_time_embed_dim=256,
        num_class_embeds=1000, upcast_attention=True, resnet_time_scale_shift="scale_shift", resnet_skip_time_act=True,
        resnet_out_scale_factor=1.5, time_embedding_type="fourier", time_embedding_dim=512, time_embedding_act_fn="silu",
        timestep_post_act="silu", time_cond_proj_dim=256, conv_in_kernel=1, conv_out_kernel=5, projection_class_embeddings_input_dim=2816,
        attention_type="gated", class_embeddings_concat=True, mid_block_only_cross_attention=True, cross_attention_norm="layer_norm",
        addition_embed_type_num_heads=32),
    "AutoencoderKL": dict(
        in_channels=1, out_channels=1, down_block_types=["AttnDownEncoderBlock2D"], up_block_types=["AttnUpDecoderBlock2D"],
        block_out_channels=[128], layers_per_block=2, act_fn="gelu", latent_channels=16, norm_num_groups=16, sample_size=512,
        scaling_factor=0.13025, shift_factor=0.1, latents_mean=[0.0] * 4, latents_std=[1.0] * 4, force_upcast=False, use_quant_conv=False,
        use_post_quant_conv=False, mid_block_add_attention=False),
    "CLIPTextConfig": dict(
        vocab_size=710, hidden_size=768, intermediate_size=3072, projection_dim=768, num_hidden_layers=23, num_attention_heads=16,
        max_position_embeddings=32, hidden_act="gelu", layer_norm_eps=1e-6, attention_dropout=0.1, initializer_range=0.01,
        initializer_factor=2.0, pad_token_id=0, bos_token_id=0, eos_token_id=2),
}


def defaults(kind):
    if kind is CLIPTextConfig:
        return {key: getattr(kind, key) for key in kind.__annotations__ if key not in ("model_type", "base_config_key")}
    return {name: p.default for name, p in inspect.signature(kind.__init__).parameters.items() if name != "self"}


if __name__ == "__main__":
    keys = {}
    for kind in (UNet2DConditionModel, AutoencoderKL, CLIPTextConfig):
        known, other = defaults(kind), OTHER[kind.__name__]
        assert known.keys() == other.keys(), known.keys() ^ other.keys()
        keys[kind.__name__] = {key: {"default": known[key], "other": other[key]} for key in known}
    out = Path(__file__).resolve().parents[2] / "tests/models/data/config_keys.json"
    lines = [f'"{name}": {{\n' + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in table.items()) + "}" for name, table in keys.items()]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
