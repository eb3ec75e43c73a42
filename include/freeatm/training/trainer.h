// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <c10/core/Device.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/loader.h"
#include "freeatm/training/hook.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/optimizer.h"
#include "freeatm/training/position.h"
#include "freeatm/training/schedule.h"

namespace freeatm::training {

struct TrainerOptions {
  std::optional<int64_t> epochs = 40;  // nothing: steps alone says how long the run is
  std::optional<int64_t> steps;        // the run is no longer than this, schedules included
  double lr = 1e-3;
  double min_lr = 0;
  double warmup_epochs = 2;
  std::optional<int64_t> warmup_steps;       // instead of warmup_epochs
  int64_t log_every = 10;                    // steps a line of metrics.jsonl
  int64_t checkpoint_every = 1;              // epochs
  std::optional<double> checkpoint_minutes;  // also this long after the last one, within an epoch
  int64_t keep_last = 2;                     // checkpoints
  OptimizerOptions optimizer;
  void fields(config::Fields& f);

  /// epochs or steps must be set.
  RunLength length(int64_t steps_per_epoch) const;
  int64_t warmup(int64_t steps_per_epoch) const;  // steps
  CosineSchedule schedule(const RunLength& length) const;
};

/// The loop: batches of the loader, losses of the objective, steps of the optimiser, and the hooks after each of them.
class Trainer {
 public:
  Trainer(Objective& objective, data::Loader& loader, Optimizer& optimizer, CosineSchedule schedule, RunLength length,
          at::Device device);

  /// In the order in which they will be called.
  void add(std::unique_ptr<Hook> hook) { hooks_.push_back(std::move(hook)); }

  /// Trains to the end. Throws Interrupted after the step in which a signal came.
  void train(Position position = {});

 private:
  void train_epoch(Position& position);

  Objective& objective_;
  data::Loader& loader_;
  Optimizer& optimizer_;
  CosineSchedule schedule_;
  RunLength length_;
  at::Device device_;
  std::vector<std::unique_ptr<Hook>> hooks_;
};

}  // namespace freeatm::training
