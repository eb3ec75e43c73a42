// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/trainer.h"

#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"
#include "freeatm/core/signals.h"

namespace freeatm::training {

void TrainerOptions::fields(config::Fields& f) {
  f("epochs", epochs, "passes over the data; null: as many as steps takes", config::at_least(1));
  f("steps", steps, "the run is no longer than this, schedules included; null: no limit", config::at_least(1));
  f("lr", lr, "learning rate at its highest", config::more_than(0));
  f("min_lr", min_lr, "learning rate at the end of the cosine", config::at_least(0));
  f("warmup_epochs", warmup_epochs, "epochs in which the learning rate rises from 0", config::at_least(0));
  f("warmup_steps", warmup_steps, "steps of it, instead of warmup_epochs", config::at_least(0));
  f("log_every", log_every, "steps a line of metrics.jsonl", config::at_least(1));
  f("checkpoint_every", checkpoint_every, "epochs between checkpoints", config::at_least(1));
  f("checkpoint_minutes", checkpoint_minutes, "at most so long without a checkpoint; null: no matter how long an epoch",
    config::more_than(0));
  f("keep_last", keep_last, "checkpoints that stay", config::at_least(1));
  f.group("optimizer", optimizer);
}

RunLength TrainerOptions::length(int64_t steps_per_epoch) const {
  FREEATM_CHECK(epochs || steps, "a run without an end");
  const int64_t all = epochs ? *epochs * steps_per_epoch : *steps;
  return {.steps_per_epoch = steps_per_epoch, .total_steps = std::min(all, steps.value_or(all))};
}

int64_t TrainerOptions::warmup(int64_t steps_per_epoch) const {
  return warmup_steps.value_or(std::llround(warmup_epochs * static_cast<double>(steps_per_epoch)));
}

CosineSchedule TrainerOptions::schedule(const RunLength& length) const {
  return {lr, min_lr, std::min(warmup(length.steps_per_epoch), length.total_steps), length.total_steps};
}

Trainer::Trainer(Objective& objective, data::Loader& loader, Optimizer& optimizer, CosineSchedule schedule,
                 RunLength length, at::Device device)
    : objective_(objective),
      loader_(loader),
      optimizer_(optimizer),
      schedule_(schedule),
      length_(length),
      device_(device) {}

void Trainer::train(Position position) {
  objective_.train();
  for (auto& hook : hooks_) hook->before_train(length_, position);
  while (position.step < length_.total_steps) {
    train_epoch(position);
    if (position.step_in_epoch == length_.steps_per_epoch) position = {position.epoch + 1, 0, position.step};
    for (auto& hook : hooks_) hook->after_epoch(position);
  }
  for (auto& hook : hooks_) hook->at_end(position);
}

void Trainer::train_epoch(Position& position) {
  loader_.start(position.epoch, position.step_in_epoch);
  while (position.step < length_.total_steps) {
    const auto batch = loader_.next();
    if (!batch) break;
    optimizer_.set_learning_rate(schedule_(position.step));
    const Losses losses = objective_.losses(batch->to(device_));
    optimizer_.backward_and_step(losses.total());
    ++position.step, ++position.step_in_epoch;
    objective_.after_step(length_.progress(position.step));
    for (auto& hook : hooks_) hook->after_step({position, optimizer_.learning_rate(), losses, *batch});
    stop_if_signalled();
  }
}

}  // namespace freeatm::training
