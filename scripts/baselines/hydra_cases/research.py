# SPDX-License-Identifier: Apache-2.0
"""A research template's usual layout: groups that are based on each other, experiments, callbacks, loggers."""

ENVIRONMENT = {}

RESEARCH = {
    "train.yaml": """
defaults:
  - _self_
  - data: scenes
  - model: moco
  - callbacks: default
  - logger: null
  - trainer: default
  - paths: default
  - experiment: null
  - optional local: default
  - debug: null
task_name: train
tags: [dev]
seed: null
ckpt_path: ???
""",
    "eval.yaml": """
defaults:
  - data: scenes
  - model: moco
  - _self_
  - override model/backbone: vit
task_name: eval
model: {temperature: 0.2}
""",
    "data/scenes.yaml": """
root: ${paths.data_dir}/scenes
batch_size: 64
size: 64
mean: [0.5, 0.5, 0.5]
""",
    "data/objects.yaml": "defaults:\n  - scenes\n  - _self_\nroot: ${paths.data_dir}/objects\nsize: 32\n",
    "model/moco.yaml": """
defaults:
  - backbone: resnet
  - optimizer: adamw
temperature: 0.1
momentum: 1e-3
name: ${.backbone.name}_moco
""",
    "model/mae.yaml": "defaults:\n  - moco\n  - override backbone: vit\n  - override optimizer: sgd\nname: mae\nmasking: {ratio: .75}\n",
    "model/backbone/resnet.yaml": "name: resnet10\nwidth: 16\nstem: {kernel: 3, stride: 2}\n",
    "model/backbone/vit.yaml": "name: vit_tiny\nwidth: 128\ndepth: 6\n",
    "model/optimizer/adamw.yaml": "_target_: torch.optim.AdamW\nlr: 1.0e-4\nbetas: [0.9, 0.999]\n",
    "model/optimizer/sgd.yaml": "_target_: torch.optim.SGD\nlr: 1e1\nnesterov: on\n",
    "callbacks/default.yaml": """
defaults:
  - checkpoint
  - early_stopping
  - _self_
checkpoint: {monitor: "val/acc", save_last: yes}
early_stopping: {patience: 100}
""",
    "callbacks/checkpoint.yaml": "checkpoint:\n  monitor: null\n  dirpath: ${paths.output_dir}/checkpoints\n  filename: epoch_{epoch:03d}\n",
    "callbacks/early_stopping.yaml": "early_stopping:\n  monitor: ???\n  patience: 3\n",
    "callbacks/none.yaml": "",
    "logger/csv.yaml": "csv:\n  save_dir: ${paths.output_dir}\n  flush_every: 100\n",
    "logger/wandb.yaml": "wandb: {project: freeatm, offline: no, tags: '${tags}'}\n",
    "logger/many.yaml": "defaults: [csv, wandb]\n",
    "trainer/default.yaml": "accelerator: cpu\nmin_epochs: 1\nmax_epochs: 10\ndeterministic: False\nlimits: {}\n",
    "trainer/gpu.yaml": "defaults:\n  - default\naccelerator: gpu\ndevices: 1\n",
    "paths/default.yaml": "root_dir: ${oc.env:FREEATM_NOT_SET,.}\ndata_dir: ${.root_dir}/data\noutput_dir: ${paths.root_dir}/out/${task_name}\n",
    "experiment/mask.yaml": """# @package _global_
defaults:
  - override /data: objects
  - override /model: mae
  - override /callbacks: null
  - override /model/backbone: resnet
tags: ["mask", "${model.name}"]
seed: 12345
trainer: {max_epochs: 3}
model:
  temperature: 0.07
  optimizer: {lr: 0.002}
""",
    "experiment/late_override.yaml": "# @package _global_\ndefaults:\n  - override /data: objects\n  - /logger: csv\n",
    "experiment/no_header.yaml": "seed: 7\n",
    "experiment/wrong_option.yaml": "# @package _global_\ndefaults:\n  - override /data: object\n",
    "experiment/wrong_group.yaml": "# @package _global_\ndefaults:\n  - override /dataset: objects\n",
    "debug/fdr.yaml": "# @package _global_\n\ndefaults:\n  - default\ntrainer: {fast_dev_run: true}\n",
    "debug/default.yaml": "# @package _global_\ntask_name: debug\ncallbacks: null\ntrainer: {max_epochs: 1, detect_anomaly: true}\n",
}

TREES = {"research": RESEARCH}

CASES = [
    *((("research", "train", given)) for given in (
        [],
        ["ckpt_path=a.pt"],
        ["experiment=mask"],
        ["experiment=mask", "data=scenes", "seed=1"],
        ["experiment=mask", "model/backbone=vit", "model.optimizer.lr=1e-2"],
        ["experiment=no_header"],
        ["experiment=late_override"],
        ["experiment=wrong_option"],
        ["experiment=wrong_group"],
        ["debug=fdr"],
        ["debug=fdr", "experiment=mask", "logger=csv"],
        ["logger=many", "tags=[a,b]"],
        ["logger=[csv,wandb]"],
        ["+logger@extra=csv"],
        ["callbacks=none"],
        ["~callbacks"],
        ["~callbacks=default"],
        ["~callbacks=none"],
        ["~debugging"],
        ["trainer=gpu", "trainer.devices=[0,1]"],
        ["trainer=gpu,default"],
        ["trainer.max_epochs=1,2"],
        ["trainer.max_epoch=1"],
        ["+trainer.limit_batches=5"],
        ["+trainer.limits.train=0.1"],
        ["+trainer={a:1,b:[2]}"],
        ["trainer={max_epochs:1}"],
        ["trainer={max_epoch:1}"],
        ["model=mae", "model.optimizer.nesterov=off"],
        ["model/optimizer=sgd"],
        ["model/optimizer=adam"],
        ["model.backbone=vit"],
        ["backbone=vit"],
        ["modle=mae"],
        ["data=null"],
        ["data=3"],
        ["++data=objects"],
        ["+data=objects"],
        ["+data@val=objects"],
        ["data@val=objects"],
        ["paths.root_dir=/srv"],
        ["task_name=\"a b\""],
        ["model.name=${task_name}"],
        ["model.name=x_${task_name}_${seed}"],
        ["~model.masking"],
        ["model=mae", "~model.masking"],
        ["~model.temperature"],
        ["~model.temperature=0.1"],
        ["~model.temperature=0.2"],
        ["~model.backbone.stem.kernel"],
        ["~ckpt_path"],
        ["~seed"],
        ["seed=1", "seed=2"],
        ["+seed=1"],
        ["+ckpt_path=1"],
        ["tags=[]"],
        ["tags.0=x"],
        ["tags.1=x"],
        ["tags.x=1"],
        ["~tags.0"],
        ["+tags=[b]"],
        ["data.mean={a:1}"],
        ["callbacks=[checkpoint]"],
        ["experiment=[mask,no_header]"],
    )),
    ("research", "eval", ["paths=default"]),
    ("research", "eval", ["+paths=default"]),
    ("research", "eval", ["+paths=default", "model/backbone=resnet"]),
    ("research", "tarin", []),
]
