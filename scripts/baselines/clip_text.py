# SPDX-License-Identifier: Apache-2.0
"""Writes tests/models/data/clip_text.safetensors: transformers' CLIPTextModel for small configurations, with weights from hash_weights:
.deps/peers/bin/python scripts/baselines/clip_text.py tests/models/data"""
import json
import sys

import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from hash_weights import fill_with_hash

CONFIGS = dict(
    one_head=dict(hidden_size=24, intermediate_size=40, num_hidden_layers=1, num_attention_heads=1, hidden_act="gelu"),
    gelu=dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, hidden_act="gelu"),
    quick_gelu=dict(hidden_size=48, intermediate_size=100, num_hidden_layers=2, num_attention_heads=6, layer_norm_eps=1e-3),
)

values, configs = {}, {}
for name, config in CONFIGS.items():
    config |= dict(vocab_size=50, max_position_embeddings=16)
    model = CLIPTextModel(CLIPTextConfig(**config)).eval()
    # the names of transformers 5: no prefix
    assert "embeddings.token_embedding.weight" in dict(model.named_parameters()), "transformers 5 is wanted"
    fill_with_hash(model, 0.3)
    ids = torch.arange(3 * 13).reshape(3, 13) * 7 % 50
    with torch.no_grad():
        values[f"{name}.ids"], values[f"{name}.hidden"] = ids, model(ids).last_hidden_state
    configs[name] = json.dumps(config)
save_file(values, f"{sys.argv[1]}/clip_text.safetensors", metadata=configs)
print({k: tuple(v.shape) for k, v in values.items()})
