// SPDX-License-Identifier: Apache-2.0
// RUN/checkpoints/step_N/: model.safetensors, optimizer.safetensors, ema.safetensors where averages are kept, and
// manifest.json (position; each file's size and digest). RUN/checkpoints/latest: the newest one's name, moved when its
// folder is whole.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <torch/nn/module.h>

#include "freeatm/core/files.h"
#include "freeatm/training/optimizer.h"
#include "freeatm/training/position.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::training {

struct Checkpoint {
  Position position;
  weights::TensorMap model, optimizer;
  weights::TensorMap averages;  // of some of the model's tensors; none: no file
};

struct CheckpointOptions {
  int64_t every_epochs = 1;
  std::optional<int64_t> every_steps;   // also within an epoch
  std::optional<double> every_minutes;  // also that long after the last one
  int64_t keep_last = 2;
};

/// Writes step_N, moves `latest`, and removes the oldest beyond `keep_last`. Where it throws, the old ones are as they
/// were.
void save_checkpoint(const fs::path& run, const Checkpoint& checkpoint, int64_t keep_last);

/// The folder that `latest` names, or nothing where the run has none yet.
std::optional<fs::path> latest_checkpoint(const fs::path& run);

/// A checkpoint, and what was read of it to see whether it is whole: it need not be read again. Not where there was no
/// other to take in its place.
struct FoundCheckpoint {
  fs::path folder;
  std::optional<Checkpoint> content;
};

/// The newest that is whole; where that is not the newest of all, it is said. Throws UserError(run, key, ...) where
/// there is none.
FoundCheckpoint require_checkpoint(const fs::path& run, const std::string& key);

/// The same: what a run goes on from, in a folder that is this process's own: what a killed one left half written is
/// removed.
///   resume: "must": throws UserError(run, "resume", ...) where there is none
std::optional<FoundCheckpoint> checkpoint_to_go_on_from(const fs::path& run, const std::string& resume);

/// Sizes and digests are checked first. Throws UserError(file, "", ...) on a file that is missing, cut off or changed.
Checkpoint load_checkpoint(const fs::path& folder);
/// The model alone, checked in the same way; with the averages of its weights where the checkpoint has them: what is
/// evaluated and finetuned.
weights::TensorMap load_checkpoint_model(const fs::path& folder);
weights::TensorMap load_checkpoint_model(FoundCheckpoint&& found);

/// What a checkpoint holds of a running training.
struct RunState {
  torch::nn::Module& model;
  Optimizer& optimizer;
  weights::TensorMap averages = {};
};

/// Copies a checkpoint into a run's parts and returns where the run stood.
Position restore(FoundCheckpoint&& found, const RunState& state);

}  // namespace freeatm::training
