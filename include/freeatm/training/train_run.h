// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/loader.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/hook.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/trainer.h"

namespace freeatm::training {

/// Everything about a training but what is trained on which data.
struct TrainRunOptions {
  data::LoaderOptions loader;
  TrainerOptions trainer;
  uint64_t seed = 0;
  at::Device device = at::kCPU;
  at::ScalarType compute = at::kFloat;
};

/// One training, from its parts to its last step: loader, optimiser, averages, log, checkpoints. The constructor writes
/// nothing, so that what is wrong with the input is said before a folder is made. Of several ranks (runtime::ranks())
/// each makes one; a batch of the config is that of all of them together, and the first one reads and writes the
/// folder.
class TrainRun {
 public:
  /// The dataset must outlive it.
  TrainRun(std::shared_ptr<Objective> objective, const data::Dataset& dataset, const TrainRunOptions& options);

  const RunLength& length() const { return length_; }
  Objective& objective() { return *objective_; }

  /// A probe or an alarm: called after the log, whose line comes first, and before a checkpoint is saved. On the first
  /// rank alone.
  void add(std::unique_ptr<Hook> hook);
  /// What may take long and can be made again: called after every n-th step, when its checkpoint is saved, and at the
  /// end.
  void add_preview(int64_t every_steps, std::function<void(int64_t step)> show);

  /// Trains to the end in `out`, a folder of this process, from a checkpoint where there is one. With trainer.ema the
  /// objective has the averages of its weights then, as whoever reads the checkpoint gets them.
  ///   resume: "must": throws UserError where there is no checkpoint; label: stands before the progress
  void train(const fs::path& out, const std::string& resume, const std::string& label);

  /// Seconds that a step takes here. The run is spent: it must not be trained.
  double time_step();

 private:
  std::shared_ptr<Objective> objective_;
  TrainRunOptions options_;
  RunLength length_;
  data::Loader loader_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<std::unique_ptr<Hook>> hooks_, previews_;
};

}  // namespace freeatm::training
