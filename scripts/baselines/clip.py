# SPDX-License-Identifier: Apache-2.0
"""transformers' CLIPModel for tests/models/clip_test.cpp: .deps/peers/bin/python scripts/baselines/clip.py

Tiny models with weights from hash_weights.py, under the config.json that save_pretrained writes, and under one that says as little as it
may. Stored in fp64: samples of both towers' last hidden states, of features and logits, and each parameter's gradient as a product with a hash
of its name."""
import json
import tempfile
from pathlib import Path

import torch
from cases import gradient_numbers, sampled, tensor, write_cases
from hash_weights import fill_with_hash
from transformers import CLIPConfig, CLIPModel


def tower(hidden_size, heads, act, **more):
    return dict(hidden_size=hidden_size, num_attention_heads=heads, intermediate_size=2 * hidden_size, num_hidden_layers=2, hidden_act=act) | more


def config(vision_act, text_act, eos, **vision):
    return dict(projection_dim=12, vision_config=tower(24, 3, vision_act, **dict(image_size=32, patch_size=8) | vision),
                text_config=tower(20, 2, text_act, vocab_size=40, max_position_embeddings=10, eos_token_id=eos))


# size: of the pictures. Texts end with the last id (also where old configs say 2), and go on with it or with 0.
CASES = {
    "openai": dict(config=config("quick_gelu", "quick_gelu", 39), size=[32, 32], padding=39),
    "openai_old_end": dict(config=config("quick_gelu", "quick_gelu", 2), size=[32, 32], padding=39),
    "laion": dict(config=config("gelu", "gelu", 39, layer_norm_eps=1e-3), size=[32, 32], padding=0),
    "each_its_own": dict(config=config("gelu", "quick_gelu", 39), size=[48, 40], padding=0),
    "larger_pictures": dict(config=config("quick_gelu", "gelu", 39, patch_size=16), size=[64, 64], padding=39),
}


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return json.loads(Path(folder, "config.json").read_text())


def values(case):
    model = CLIPModel(CLIPConfig(**case["config"])).eval()
    case["saved_config"] = saved(model)
    fill_with_hash(model, 0.3).double()
    pixels = tensor("pixels", 3, 3, *case["size"]).double()
    ids = torch.full((2, 10), case["padding"])
    for row, length in enumerate((4, 9)):
        ids[row, :length] = torch.arange(length) * 7 % 38 + 1
        ids[row, length] = 39
    out = model(input_ids=ids, pixel_values=pixels, interpolate_pos_encoding=True)
    (out.logits_per_image * tensor("loss", 3, 2)).sum().backward()
    return dict(vision=sampled(out.vision_model_output.last_hidden_state), text=sampled(out.text_model_output.last_hidden_state),
                image_features=out.image_embeds.detach(), text_features=out.text_embeds.detach(),
                logits=out.logits_per_image.detach(), gradients=gradient_numbers(model))


if __name__ == "__main__":
    write_cases("clip", CASES, values)
