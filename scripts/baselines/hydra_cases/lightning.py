# SPDX-License-Identifier: Apache-2.0
"""A project as the Lightning-Hydra template lays it out: a `hydra` group and node, experiments, debugging, hyperparameter search."""

ENVIRONMENT = {"PROJECT_ROOT": "/srv/project"}

# The layout of the Lightning-Hydra template: everything that such projects have.
LIGHTNING = {
    "train.yaml": """# @package _global_

# specify here default configuration
# order of defaults determines the order in which configs override each other
defaults:
  - _self_
  - data: mnist
  - model: mnist
  - callbacks: default
  - logger: null # set logger here or use command line (e.g. `python train.py logger=tensorboard`)
  - trainer: default
  - paths: default
  - extras: default
  - hydra: default

  # experiment configs allow for version control of specific hyperparameters
  # e.g. best hyperparameters for given model and datamodule
  - experiment: null

  # config for hyperparameter optimization
  - hparams_search: null

  # optional local config for machine/user specific settings
  # it's optional since it doesn't need to exist and is excluded from version control
  - optional local: default

  # debugging config (enable through command line, e.g. `python train.py debug=default)
  - debug: null

# task name, determines output directory path
task_name: "train"

# tags to help you identify your experiments
# you can overwrite this in experiment configs
# overwrite from command line with `python train.py tags="[first_tag, second_tag]"`
tags: ["dev"]

# set False to skip model training
train: True

# evaluate on test set, using best model weights achieved during training
# lightning chooses best weights based on the metric specified in checkpoint callback
test: True

# simply provide checkpoint path to resume training
ckpt_path: null

# seed for random number generators in pytorch, numpy and python.random
seed: null
""",
    "eval.yaml": """# @package _global_

defaults:
  - _self_
  - data: mnist # choose datamodule with `test_dataloader()` for evaluation
  - model: mnist
  - logger: null
  - trainer: default
  - paths: default
  - extras: default
  - hydra: default

task_name: "eval"

tags: ["dev"]

# passing checkpoint path is necessary for evaluation
ckpt_path: ???
""",
    "data/mnist.yaml": """_target_: src.data.mnist_datamodule.MNISTDataModule
data_dir: ${paths.data_dir}
batch_size: 128 # Needs to be divisible by the number of devices (e.g., if in a distributed setup)
train_val_test_split: [55_000, 5_000, 10_000]
num_workers: 0
pin_memory: False
""",
    "model/mnist.yaml": """_target_: src.models.mnist_module.MNISTLitModule

optimizer:
  _target_: torch.optim.Adam
  _partial_: true
  lr: 0.001
  weight_decay: 0.0

scheduler:
  _target_: torch.optim.lr_scheduler.ReduceLROnPlateau
  _partial_: true
  mode: min
  factor: 0.1
  patience: 10

net:
  _target_: src.models.components.simple_dense_net.SimpleDenseNet
  input_size: 784
  lin1_size: 64
  output_size: 10

# compile model for faster training with pytorch 2.0
compile: false
""",
    "callbacks/default.yaml": """defaults:
  - model_checkpoint
  - early_stopping
  - model_summary
  - rich_progress_bar
  - _self_

model_checkpoint:
  dirpath: ${paths.output_dir}/checkpoints
  filename: "epoch_{epoch:03d}"
  monitor: "val/acc"
  mode: "max"
  save_last: True
  auto_insert_metric_name: False

early_stopping:
  monitor: "val/acc"
  patience: 100
  mode: "max"

model_summary:
  max_depth: -1
""",
    "callbacks/model_checkpoint.yaml": "# https://lightning.ai/docs\n\nmodel_checkpoint:\n  _target_: ModelCheckpoint\n  dirpath: null # directory to save\n  monitor: null\n  save_top_k: 1\n",
    "callbacks/early_stopping.yaml": "early_stopping:\n  _target_: EarlyStopping\n  monitor: ??? # quantity to be monitored, must be specified !!!\n  min_delta: 0. # minimum change\n  check_finite: True\n",
    "callbacks/model_summary.yaml": "model_summary:\n  _target_: RichModelSummary\n  max_depth: 1\n",
    "callbacks/rich_progress_bar.yaml": "rich_progress_bar:\n  _target_: RichProgressBar\n",
    "callbacks/none.yaml": "",
    "logger/csv.yaml": "csv:\n  _target_: CSVLogger\n  save_dir: \"${paths.output_dir}\"\n  name: \"csv/\"\n  prefix: \"\"\n",
    "logger/wandb.yaml": "wandb:\n  _target_: WandbLogger\n  # name: \"\"\n  save_dir: \"${paths.output_dir}\"\n  offline: False\n  id: null # pass correct id to resume experiment!\n  project: \"lightning-hydra-template\"\n  tags: []\n",
    "logger/many_loggers.yaml": "# train with many loggers at once\n\ndefaults:\n  # - comet\n  - csv\n  - wandb\n",
    "trainer/default.yaml": "_target_: lightning.pytorch.trainer.Trainer\n\ndefault_root_dir: ${paths.output_dir}\n\nmin_epochs: 1 # prevents early stopping\nmax_epochs: 10\n\naccelerator: cpu\ndevices: 1\n\ncheck_val_every_n_epoch: 1\ndeterministic: False\n",
    "trainer/cpu.yaml": "defaults:\n  - default\n\naccelerator: cpu\ndevices: 1\n",
    "trainer/gpu.yaml": "defaults:\n  - default\n\naccelerator: gpu\ndevices: 1\n",
    "trainer/ddp.yaml": "defaults:\n  - default\n\nstrategy: ddp\n\naccelerator: gpu\ndevices: 4\nnum_nodes: 1\nsync_batchnorm: True\n",
    "paths/default.yaml": """# path to root directory
# this requires PROJECT_ROOT environment variable to exist
root_dir: ${oc.env:PROJECT_ROOT}

# path to data directory
data_dir: ${paths.root_dir}/data/

# path to logging directory
log_dir: ${paths.root_dir}/logs/

output_dir: ${paths.log_dir}/${task_name}
""",
    "extras/default.yaml": "# disable python warnings if they annoy you\nignore_warnings: False\n\nenforce_tags: True\nprint_config: True\n",
    "hydra/default.yaml": """# https://hydra.cc/docs/configure_hydra/intro/

# enable color logging
defaults:
  - override hydra_logging: none
  - override job_logging: stdout

# output directory, generated dynamically on each run
run:
  dir: ${paths.log_dir}/${task_name}/runs/${now:%Y-%m-%d}_${now:%H-%M-%S}
sweep:
  dir: ${paths.log_dir}/${task_name}/multiruns/${now:%Y-%m-%d}_${now:%H-%M-%S}
  subdir: ${hydra.job.num}

job_logging:
  handlers:
    file:
      filename: ${hydra.runtime.output_dir}/${task_name}.log
""",
    "experiment/example.yaml": """# @package _global_

# to execute this experiment run:
# python train.py experiment=example

defaults:
  - override /data: mnist
  - override /model: mnist
  - override /callbacks: default
  - override /trainer: default

# all parameters below will be merged with parameters from default configurations set above
# this allows you to overwrite only specified parameters

tags: ["mnist", "simple_dense_net"]

seed: 12345

trainer:
  min_epochs: 10
  max_epochs: 10
  gradient_clip_val: 0.5

model:
  optimizer:
    lr: 0.002
  net:
    lin1_size: 128
  compile: false

data:
  batch_size: 64

logger:
  wandb:
    tags: ${tags}
    group: "mnist"
  aim:
    experiment: "mnist"
""",
    "debug/default.yaml": """# @package _global_

# default debugging setup, runs 1 full epoch
# other debugging configs can inherit from this one

# overwrite task name so debugging logs are stored in separate folder
task_name: "debug"

# disable callbacks and loggers during debugging
callbacks: null
logger: null

extras:
  ignore_warnings: False
  enforce_tags: False

# sets level of all command line loggers to 'DEBUG'
# https://hydra.cc/docs/tutorials/basic/running_your_app/logging/
hydra:
  job_logging:
    root:
      level: DEBUG

  # use this to also set hydra loggers to 'DEBUG'
  # verbose: True

trainer:
  max_epochs: 1
  accelerator: cpu # debuggers don't like gpus
  devices: 1 # debuggers don't like multiprocessing
  detect_anomaly: true # raise exception if NaN or +/-inf is detected in any tensor

data:
  num_workers: 0 # debuggers don't like multiprocessing
  pin_memory: False # disable gpu memory pin
""",
    "debug/fdr.yaml": "# @package _global_\n\n# runs 1 train, 1 validation and 1 test step\n\ndefaults:\n  - default\n\ntrainer:\n  fast_dev_run: true\n",
    "debug/overfit.yaml": "# @package _global_\n\ndefaults:\n  - default\n\ntrainer:\n  max_epochs: 20\n  overfit_batches: 3\n\ncallbacks:\n  model_checkpoint:\n  early_stopping:\n",
    "hparams_search/grid.yaml": """# @package _global_

defaults:
  - override /hydra/sweeper: basic

optimized_metric: "val/acc_best"

hydra:
  mode: "MULTIRUN" # set hydra to multirun by default if this config is attached
  sweeper:
    params:
      model.optimizer.lr: interval(0.0001, 0.1)
      data.batch_size: choice(32, 64, 128, 256)
""",
}

TREES = {"lightning": LIGHTNING}

CASES = [
    *(("lightning", "train", given) for given in (
        [], ["experiment=example"], ["debug=fdr"], ["debug=overfit"], ["debug=default", "experiment=example"], ["logger=many_loggers"],
        ["logger=[csv,wandb]"], ["trainer=ddp", "trainer.devices=8"], ["hparams_search=grid"], ["hparams_search=optuna"],
        ["experiment=example", "logger=wandb", "seed=7"], ["hydra.run.dir=/tmp/x"], ["hydra.sweep.dir=x", "hydra.sweep.subdir=y"],
        ["hydra/launcher=basic"], ["hydra/job_logging=disabled", "hydra/hydra_logging=disabled"], ["hydra=default"], ["hydra=nope"],
        ["~hydra"], ["hydra.job.name=x"], ["hydra.jbo.name=x"], ["hydra.job.chdir=true"], ["+hydra.job.env_set.A=b"], ["hydra.verbose=true"],
        ["hydra.output_subdir=null"], ["hydra.mode=RUN"], ["tags=[a,b c]"], ["tags='[a]'"], ["callbacks=none"], ["callbacks=null"], ["~logger"],
        ["ckpt_path='epoch=1-step=2.ckpt'"], ["ckpt_path=epoch\\=1.ckpt"], ["ckpt_path=epoch=1.ckpt"], ["+trainer.fast_dev_run=True"],
        ["model.optimizer._target_=torch.optim.SGD"], ["++model.optimizer.momentum=0.9"], ["data.train_val_test_split=[1,2,3]"],
        ["paths.root_dir=."], ["local=default"], ["+local=default"], ["hydra/sweeper=basic", "hydra.sweeper.max_batch_size=2"],
        ["hydra.searchpath=[]"], ["hydra.searchpath=null"], ["hydra.searchpath=5"], ["hydra.searchpath=[5]"], ["+hydra.nothing=1"],
        ["hydra=5"], ["hydra.callbacks={}"], ["hydra.job.env_copy=[HOME]"],
    )),
    ("lightning", "eval", []), ("lightning", "eval", ["ckpt_path=/x/y.ckpt"]), ("lightning", "train.yaml", ["experiment=example.yaml"]),
    ("lightning", "experiment/example", []), ("lightning", "debug/default", []), ("lightning", "trainer/gpu", []),
]
