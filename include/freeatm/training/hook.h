// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "freeatm/data/batch.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/position.h"

namespace freeatm::training {

struct StepReport {
  Position position;  // after the step
  double learning_rate;
  const Losses& losses;      // on the device: reading a value waits for it; means over the step's batches
  const data::Batch& batch;  // the step's last, this rank's part
  int64_t samples = 0;       // of all its batches, on all ranks
  double seconds = 0;        // of training so far, the same on all ranks
  bool stopping = false;     // a signal came: the trainer throws Interrupted after this step
};

/// What happens beside training: logging, checkpoints, probes, alarms. Called in the order of the trainer's list. A
/// hook that must save something before the run is interrupted does so in `after_step`, where `stopping` says so; a
/// step that ends an epoch is then followed by `after_epoch` when the run goes on.
class Hook {
 public:
  virtual ~Hook() = default;
  virtual void before_train(const RunLength& /*length*/, const Position& /*start*/) {}
  virtual void after_step(const StepReport& /*report*/) {}
  virtual void after_epoch(const Position& /*position*/) {}  // the position is the next epoch's first step
  virtual void at_end(const Position& /*position*/) {}
};

}  // namespace freeatm::training
