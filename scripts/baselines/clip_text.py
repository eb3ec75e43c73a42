# SPDX-License-Identifier: Apache-2.0
"""transformers' CLIPTextModel and CLIPTextModelWithProjection for tests/models/clip_text_test.cpp:
.deps/peers/bin/python scripts/baselines/clip_text.py

Writes tests/models/data/clip_text_cases.{json,safetensors}, in the manner of unet_vae.py."""
import copy
import random

import torch
from cases import gradient_numbers, off_by, sampled, tensor, write_cases
from hash_weights import fill_with_hash
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection


def random_case(rng, i):
    heads = rng.choice([1, 2, 3, 4, 6])
    config = dict(hidden_size=heads * rng.choice([4, 7, 10]), num_attention_heads=heads, intermediate_size=rng.randrange(20, 120),
                  num_hidden_layers=rng.randrange(1, 5), hidden_act=["quick_gelu", "gelu"][i % 2], vocab_size=rng.randrange(50, 90),
                  max_position_embeddings=rng.choice([13, 16, 77]), layer_norm_eps=rng.choice([1e-5, 1e-3]))
    # No effect on the last hidden state. The ids are those of Stable Diffusion's configs.
    rare = dict(projection_dim=12, bos_token_id=0, eos_token_id=2, pad_token_id=1, attention_dropout=0.3, initializer_factor=2.0)
    return dict(config=config | {k: v for k, v in rare.items() if rng.random() < 0.5}, with_projection=rng.random() < 0.4, tokens=13)


def values(case):
    kind = CLIPTextModelWithProjection if case["with_projection"] else CLIPTextModel
    model = kind(CLIPTextConfig(**case["config"])).eval()
    text = model.text_model if case["with_projection"] else model
    fill_with_hash(text, 0.3).double()
    ids = torch.arange(3 * case["tokens"]).reshape(3, -1) * 7 % case["config"]["vocab_size"]
    hidden = text(ids).last_hidden_state
    (hidden * tensor("loss", *hidden.shape)).sum().backward()
    result = dict(hidden=sampled(hidden), gradients=gradient_numbers(text))
    for name, dtype in dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16).items():
        with torch.no_grad():
            result[f"{name}_error"] = off_by(copy.deepcopy(text).to(dtype)(ids).last_hidden_state, hidden)
    return result


if __name__ == "__main__":
    rng = random.Random(77)
    write_cases("clip_text", {f"random_{i}": random_case(rng, i) for i in range(12)}, values)
