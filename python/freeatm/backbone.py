# SPDX-License-Identifier: Apache-2.0
"""What freeatm trained, in models of timm and torchvision."""
from __future__ import annotations

import logging
import os
import re

from torch import Tensor, nn

from ._models import BUILD
from ._run import Run, backbone_tensors, open_run

_log = logging.getLogger("freeatm")

# freeatm's names are timm's, and for ResNets torchvision's; its ViT has names of its own.
_TORCHVISION_VIT = [
    (r"cls_token", "class_token"),
    (r"pos_embed", "encoder.pos_embedding"),
    (r"patch_embed\.proj\.", "conv_proj."),
    (r"norm\.", "encoder.ln."),
    (r"blocks\.(\d+)\.norm([12])\.", r"encoder.layers.encoder_layer_\1.ln_\2."),
    (r"blocks\.(\d+)\.attn\.qkv\.", r"encoder.layers.encoder_layer_\1.self_attention.in_proj_"),
    (r"blocks\.(\d+)\.attn\.proj\.", r"encoder.layers.encoder_layer_\1.self_attention.out_proj."),
    (r"blocks\.(\d+)\.mlp\.fc1\.", r"encoder.layers.encoder_layer_\1.mlp.0."),
    (r"blocks\.(\d+)\.mlp\.fc2\.", r"encoder.layers.encoder_layer_\1.mlp.3."),
]


def _renamed(name: str, run: Run, into: str) -> str:
    if into == "timm" or run.model["name"] == "resnet":
        return name
    for pattern, other in _TORCHVISION_VIT:
        if match := re.match(pattern, name):
            return match.expand(other) + name[match.end() :]
    if name.startswith("fc_norm."):
        run.refuse("global_pool", "torchvision's VisionTransformer pools by its class token; into='timm' takes it")
    return name  # has no place there, which load_backbone will say


def _read(path: str | os.PathLike[str], into: str) -> tuple[Run, dict[str, Tensor], list[str]]:
    if into not in ("timm", "torchvision"):
        raise ValueError(f"into: '{into}' is neither 'timm' nor 'torchvision'")
    run = open_run(path)
    own, others = backbone_tensors(run)
    return run, {_renamed(name, run, into): tensor for name, tensor in own.items()}, others


def state_dict(run: str | os.PathLike[str], into: str = "timm") -> dict[str, Tensor]:
    """A run's backbone under the names of timm or torchvision, fp32 on the CPU; arguments as load_backbone's."""
    return _read(run, into)[1]


def load_backbone(run: str | os.PathLike[str], into: str = "timm") -> nn.Module:
    """A model of timm or torchvision with a run's backbone, in eval mode; it gives the pooled features, [B, channels].

    run: a run folder of freeatm pretrain or finetune (its newest checkpoint), or one of its checkpoints/step_N
    Averages of the weights, where the run keeps them, take the weights' place. Pictures are RGB in [0, 1], normalised
    by ImageNet's mean (.485, .456, .406) and deviation (.229, .224, .225).

    What was loaded and left out is said to the logger "freeatm". ValueError, with file and key, where the target cannot
    hold the model, or a tensor is missing, left over or of another shape.
    """
    opened, tensors, others = _read(run, into)
    model = BUILD[opened.model["name"], into](opened)
    wanted = model.state_dict()
    counts = [name for name in wanted if name.endswith("num_batches_tracked") and name not in tensors]
    wrong = [f"missing: {name}" for name in wanted if name not in tensors and name not in counts]
    wrong += [f"unexpected: {name}" for name in tensors if name not in wanted]
    wrong += [
        f"{name}: {list(tensor.shape)} in the file, {list(wanted[name].shape)} in the model"
        for name, tensor in tensors.items()
        if name in wanted and tensor.shape != wanted[name].shape
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ValueError(f"{opened.checkpoint}: do not fit {into}'s model: {'; '.join(wrong[:3])}{more}")
    model.load_state_dict(tensors, strict=False)
    parts = sorted({name.split(".")[0] for name in others})
    _log.info("%s: %d tensors in %s's %s, none missing; not of the backbone, left out: %s", opened.checkpoint,
              len(tensors), into, type(model).__name__, ", ".join(parts) or "nothing")
    return model.eval()
