# SPDX-License-Identifier: Apache-2.0
"""A run folder of pretrain or finetune: the backbone's options (config.yaml) and its tensors (checkpoints/step_N)."""
from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

_PREFIX = "backbone."  # heads and the momentum encoder ("momentum_backbone.") stay behind, as where freeatm evaluates


@dataclass(frozen=True)
class Run:
    config: Path  # config.yaml
    checkpoint: Path  # checkpoints/step_N
    model: dict[str, Any]  # its group `model`

    def option(self, key: str, kind: type | tuple[type, ...]) -> Any:
        value = self.model.get(key)
        if not isinstance(value, kind):
            self.refuse(key, "is missing, or not what freeatm writes there")
        return value

    def refuse(self, key: str, why: str) -> NoReturn:
        value = f"{self.model[key]}: " if key in self.model else ""
        raise ValueError(f"{self.config}: model.{key}: {value}{why}")


def open_run(path: str | os.PathLike[str]) -> Run:
    """The run whose folder, or one of whose checkpoints (RUN/checkpoints/step_N), lies there; of a folder the newest
    whole checkpoint. ValueError or FileNotFoundError, with the file's name, where there is none."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such folder")
    if (path / "manifest.json").is_file():
        run, checkpoint = path.absolute().parent.parent, path
    else:
        run, checkpoint = path, None
    config = run / "config.yaml"
    if not config.is_file():
        raise ValueError(f"{path}: is neither a run folder (config.yaml, checkpoints/) nor one of its checkpoints")
    try:
        model = yaml.safe_load(config.read_bytes()).get("model")
    except (yaml.YAMLError, AttributeError):
        raise ValueError(f"{config}: is no config that freeatm wrote") from None
    if not isinstance(model, dict) or model.get("name") not in ("resnet", "vit"):
        raise ValueError(f"{config}: model: has no resnet or vit: not a run of pretrain or finetune")
    return Run(config, checkpoint or _newest(run), model)


def _newest(run: Path) -> Path:
    latest = run / "checkpoints" / "latest"  # the program moves it when a checkpoint is whole
    if not latest.is_file():
        raise FileNotFoundError(f"{run}: has no checkpoint yet")
    checkpoint = latest.parent / latest.read_text().strip()
    if not (checkpoint / "manifest.json").is_file():
        raise ValueError(f"{latest}: names '{checkpoint.name}', which is no checkpoint")
    return checkpoint


def backbone_tensors(run: Run) -> tuple[dict[str, Tensor], list[str]]:
    """The backbone's tensors under its own names, and the names of all others. Where the checkpoint keeps averages of
    the weights they take the weights' place, as in freeatm evaluate. Sizes are compared with the manifest's."""
    manifest = run.checkpoint / "manifest.json"
    try:
        sizes = {name: said["size"] for name, said in json.loads(manifest.read_bytes())["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{manifest}: is no checkpoint's manifest: cut off or changed") from None
    tensors: dict[str, Tensor] = {}
    for name in ("model.safetensors", "ema.safetensors"):
        file = run.checkpoint / name
        if name == "ema.safetensors" and name not in sizes:
            continue
        if not file.is_file() or file.stat().st_size != sizes.get(name):
            raise ValueError(f"{file}: is not the file of {sizes.get(name)} bytes that its manifest names")
        try:
            tensors |= load_file(file)
        except SafetensorError as error:
            raise ValueError(f"{file}: is no whole safetensors file: {error}") from None
    own = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items() if name.startswith(_PREFIX)}
    return own, sorted(name for name in tensors if not name.startswith(_PREFIX))
