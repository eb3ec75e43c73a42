// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/trainer.h"

#include <algorithm>
#include <csignal>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/planned_views.h"
#include "freeatm/runtime/autocast.h"

#include "gradient_buckets.h"
#include "step_news.h"

namespace freeatm::training {

struct Trainer::StepDone {
  Losses losses;     // means over all batches of all ranks
  data::Batch last;  // this rank's
  int64_t samples = 0;
  bool stops = false;
  double seconds = 0;
};

Trainer::Trainer(Objective& objective, data::Loader& loader, Optimizer& optimizer, Course course)
    : objective_(objective),
      batches_(loader, course.device),
      optimizer_(optimizer),
      course_(std::move(course)),
      ranks_(runtime::ranks()),
      buckets_(std::make_unique<GradientBuckets>(ranks_, optimizer.groups(), optimizer.owner())) {}

Trainer::~Trainer() = default;

void Trainer::train(Position position) {
  objective_.train();
  begin_ = Clock::now();
  for (auto& hook : hooks_) hook->before_train(course_.length, position);
  while (!course_.length.ends_run(position)) {
    train_epoch(position);
    if (course_.length.ends_epoch(position)) position = {position.epoch + 1, 0, position.step};
    end_epoch(position);
  }
  if (const auto stopped = call_all([&](Hook& hook) { hook.at_end(position); })) throw *stopped;
}

void Trainer::end_epoch(const Position& position) {
  const auto stopped = call_all([&](Hook& hook) { hook.after_epoch(position); });
  if (stopped && ranks_.is_alone()) throw *stopped;  // of several, the others hear of it in the next step
}

// A signal may stop a probe; the hooks behind it still save.
std::optional<Interrupted> Trainer::call_all(const std::function<void(Hook&)>& call) {
  std::optional<Interrupted> stopped;
  for (auto& hook : hooks_) {
    try {
      call(*hook);
    } catch (const Interrupted& signal) {
      stopped = signal;
    }
  }
  return stopped;
}

void Trainer::train_epoch(Position& position) {
  const RunLength& length = course_.length;
  batches_.start(position.epoch, position.step_in_epoch * length.accumulate);
  while (!length.ends_epoch(position) && !length.ends_run(position)) {
    const StepDone done = step(position);
    // Alone a signal ends the run behind this step; of several ranks all must have heard of it before.
    const bool stops = (ranks_.is_alone() ? pending_signal() != 0 : done.stops) && !length.ends_run(position);
    const StepReport report{position, optimizer_.learning_rate(), done.losses, done.last, done.samples, done.seconds,
                            stops};
    for (auto& hook : hooks_) hook->after_step(report);
    if (stops) throw Interrupted{pending_signal() != 0 ? pending_signal() : SIGTERM};
  }
}

Trainer::StepDone Trainer::step(Position& position) {
  const runtime::Ranks::Step moves(ranks_);
  at::manual_seed(RandomStream(course_.seed, "step", static_cast<uint64_t>(ranks_.rank().index),
                               static_cast<uint64_t>(position.step))
                      .next_u32());
  optimizer_.set_learning_rate(course_.schedule(position.step));
  std::vector<LoadedBatch> batches = batches_of_step(position);
  std::vector<Counts> counts(batches.size());
  if (batches.size() > 1 || !ranks_.is_alone())
    std::ranges::transform(batches, counts.begin(), [&](auto& b) { return objective_.counts(b.host); });
  StepNews news(ranks_, counts, pending_signal() != 0, std::chrono::duration<double>(Clock::now() - begin_).count());
  std::vector<Losses> parts;
  StepDone done;
  std::optional<StepLosses> sums;
  for (size_t i = 0; i < batches.size(); ++i) {
    parts.push_back(losses_of(batches[i].on_device));
    const at::Tensor share = share_of_step(parts.back(), counts[i], news.totals());
    if (i + 1 == batches.size()) {
      if (news.totals().batches > 1) sums.emplace(ranks_, parts);
      buckets_->begin();
    }
    share.backward();
    done.samples += batches[i].host.size * ranks_.rank().world;
  }
  buckets_->finish();
  optimizer_.step();
  batches_.copy_ahead();
  ++position.step, ++position.step_in_epoch;
  objective_.after_step(course_.length.progress(position.step));
  done.losses = sums ? sums->means() : std::move(parts.front());
  done.last = batches.back().host;
  done.stops = news.stops();
  done.seconds = news.seconds();
  return done;
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

Losses Trainer::losses_of(data::Batch& batch) {
  data::make_views(batch);
  const runtime::Autocast autocast(course_.device.type(), course_.compute);
  return objective_.losses(batch);
}

}  // namespace freeatm::training
