// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/data/sample.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/position.h"

namespace freeatm::training {

struct StepReport {
  Position position;  // after the step
  double learning_rate;
  const Losses& losses;  // on the device: reading a value waits for it
  const data::Batch& batch;
};

/// What happens beside training: logging, checkpoints, probes, alarms. Called in the order of the trainer's list. After
/// a step with a pending signal the trainer throws Interrupted, so a hook that must save something does so in that
/// `after_step`.
class Hook {
 public:
  virtual ~Hook() = default;
  virtual void before_train(const RunLength& /*length*/, const Position& /*start*/) {}
  virtual void after_step(const StepReport& /*report*/) {}
  virtual void after_epoch(const Position& /*position*/) {}  // the position is the next epoch's first step
  virtual void at_end(const Position& /*position*/) {}
};

}  // namespace freeatm::training
