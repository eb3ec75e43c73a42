// SPDX-License-Identifier: Apache-2.0
#include "freeatm/commands/commands.h"

namespace freeatm::commands {

int world(const config::Composed& composed);
int harvest(const config::Composed& composed);
int harvest_dry_run(const config::Composed& composed);
int pretrain(const config::Composed& composed);
int finetune(const config::Composed& composed);
int evaluate(const config::Composed& composed);
int export_model(const config::Composed& composed);
int view(const config::Composed& composed);
int table(const config::Composed& composed);
int train_diffusion(const config::Composed& composed);

namespace {

constexpr Command kCommands[] = {
    {"world", "draw the emoji world: scenes with captions and exact masks, objects with labels", world},
    {"harvest", "captions -> generated pictures with a mask for each phrase (WebDataset shards)", harvest,
     harvest_dry_run},
    {"pretrain", "train a backbone on shards, COCO or an image folder", pretrain},
    {"finetune", "train a classifier on labelled pictures, from a pretrained backbone or from scratch", finetune},
    {"evaluate",
     "task=knn, linear, fewshot, dense: a backbone's features; task=masks, prompt_recall: a diffusion model's masks "
     "and pictures",
     evaluate},
    {"export", "a run's model as a file or folder of timm, torchvision, transformers, detectron2 or ONNX",
     export_model},
    {"view", "shards and run folders -> one self-contained HTML page", view},
    {"table", "a table file -> the jobs that its cells lack, then means, deviations and differences", table},
    {"train-diffusion", "captioned pictures -> a small Stable Diffusion: stage=tokenizer, vae, unet", train_diffusion},
};

}  // namespace

std::span<const Command> all() { return kCommands; }

}  // namespace freeatm::commands
