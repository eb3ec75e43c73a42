// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/trainer.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/core/signals.h"
#include "freeatm/runtime/autocast.h"

namespace freeatm::training {

void Trainer::train(Position position) {
  objective_.train();
  for (auto& hook : hooks_) hook->before_train(course_.length, position);
  while (!course_.length.ends_run(position)) {
    train_epoch(position);
    if (course_.length.ends_epoch(position)) position = {position.epoch + 1, 0, position.step};
    end_epoch(position);
  }
  for (auto& hook : hooks_) hook->at_end(position);
}

// A signal may stop a probe; the hooks behind it still save the epoch.
void Trainer::end_epoch(const Position& position) {
  std::optional<Interrupted> stopped;
  for (auto& hook : hooks_) {
    try {
      hook->after_epoch(position);
    } catch (const Interrupted& signal) {
      stopped = signal;
    }
  }
  if (stopped) throw *stopped;
}

void Trainer::train_epoch(Position& position) {
  const RunLength& length = course_.length;
  batches_.start(position.epoch, position.step_in_epoch * length.accumulate);
  while (!length.ends_epoch(position) && !length.ends_run(position)) {
    at::manual_seed(RandomStream(course_.seed, "step", 0, static_cast<uint64_t>(position.step)).next_u32());
    optimizer_.set_learning_rate(course_.schedule(position.step));
    std::vector<Losses> parts;
    const std::vector<LoadedBatch> batches = batches_of_step(position);
    std::vector<Counts> counts(batches.size());
    if (batches.size() > 1)
      std::ranges::transform(batches, counts.begin(), [&](auto& b) { return objective_.counts(b.host); });
    int64_t samples = 0;
    for (size_t i = 0; i < batches.size(); ++i) {
      parts.push_back(losses_of(batches[i].on_device));
      share_of_step(parts.back(), counts[i], counts).backward();
      samples += batches[i].host.size;
    }
    optimizer_.step();
    batches_.copy_ahead();
    ++position.step, ++position.step_in_epoch;
    objective_.after_step(length.progress(position.step));

    const Losses losses = mean_of(parts);
    const bool stopping = pending_signal() != 0 && !length.ends_run(position);
    const StepReport report{position, optimizer_.learning_rate(), losses, batches.back().host, samples, stopping};
    for (auto& hook : hooks_) hook->after_step(report);
    if (stopping) stop_if_signalled();
  }
}

std::vector<LoadedBatch> Trainer::batches_of_step(const Position& position) {
  std::vector<LoadedBatch> batches;
  for (int64_t i = 0; i < course_.length.accumulate; ++i) {
    auto batch = batches_.next();
    FREEATM_CHECK(batch, "epoch {} has too few batches", position.epoch);
    batches.push_back(*std::move(batch));
  }
  return batches;
}

Losses Trainer::losses_of(const data::Batch& batch) {
  const runtime::Autocast autocast(course_.device.type(), course_.compute);
  return objective_.losses(batch);
}

}  // namespace freeatm::training
