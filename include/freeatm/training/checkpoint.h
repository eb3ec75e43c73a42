// SPDX-License-Identifier: Apache-2.0
// RUN/checkpoints/step_N/: model.safetensors, optimizer.safetensors, manifest.json (position; each file's size and
// digest). RUN/checkpoints/latest: the newest one's name, moved when its folder is whole.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <torch/nn/module.h>

#include "freeatm/core/files.h"
#include "freeatm/training/hook.h"
#include "freeatm/training/optimizer.h"
#include "freeatm/training/position.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::training {

struct Checkpoint {
  Position position;
  weights::TensorMap model, optimizer;
};

/// Writes step_N, moves `latest`, and removes the oldest beyond `keep_last`.
void save_checkpoint(const fs::path& run, const Checkpoint& checkpoint, int64_t keep_last);

/// The folder that `latest` names, or nothing where the run has none yet.
std::optional<fs::path> latest_checkpoint(const fs::path& run);

/// Sizes and digests are checked first. Throws UserError(file, "", ...) on a file that is missing, cut off or changed.
Checkpoint load_checkpoint(const fs::path& folder);
/// model.safetensors alone, checked in the same way.
weights::TensorMap load_checkpoint_model(const fs::path& folder);

/// Copies a checkpoint into a run's parts and returns where the run stood.
Position restore(const fs::path& folder, torch::nn::Module& model, Optimizer& optimizer);

/// Saves at the end of every epoch-th epoch, at the end, when a signal is pending, and, with every_minutes, that long
/// after the last time.
class CheckpointHook final : public Hook {
 public:
  CheckpointHook(fs::path run, const torch::nn::Module& model, const Optimizer& optimizer, int64_t every_epochs,
                 int64_t keep_last, std::optional<double> every_minutes = {});
  void after_step(const StepReport& report) override;
  void after_epoch(const Position& position) override;
  void at_end(const Position& position) override;

 private:
  void save(const Position& position);
  fs::path run_;
  const torch::nn::Module& model_;
  const Optimizer& optimizer_;
  int64_t every_epochs_, keep_last_;
  std::optional<double> every_minutes_;
  Position saved_{.epoch = -1};  // at_end need not repeat what after_epoch wrote
  std::chrono::steady_clock::time_point saved_at_;
};

}  // namespace freeatm::training
