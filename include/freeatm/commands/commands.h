// SPDX-License-Identifier: Apache-2.0
// One function a command: compose is done, each reads its options (which checks every key), builds, runs, and returns
// the exit code.
#pragma once
#include "freeatm/config/fields.h"

namespace freeatm::commands {

int evaluate(const config::Composed& composed);
int finetune(const config::Composed& composed);
int harvest(const config::Composed& composed);
int pretrain(const config::Composed& composed);
int train_diffusion(const config::Composed& composed);
int view(const config::Composed& composed);
int world(const config::Composed& composed);

}  // namespace freeatm::commands
