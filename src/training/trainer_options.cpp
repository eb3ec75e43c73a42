// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/training/trainer.h"

namespace freeatm::training {
namespace {

template <class Number>
void check_milestones(const config::Fields& f, const char* key, const std::vector<Number>& milestones) {
  if (std::ranges::adjacent_find(milestones, std::greater_equal<>()) != milestones.end()) f.refuse(key, "do not rise");
}

}  // namespace

void TrainerOptions::fields(config::Fields& f) {
  f("epochs", epochs, "passes over the data; null: as many as steps takes", config::at_least(1));
  f("steps", steps, "the run is no longer than this, schedules included; null: no limit", config::at_least(1));
  f("accumulate", accumulate, "batches a step: their losses' mean is followed", config::at_least(1));
  f("lr", lr, "learning rate at its highest", config::more_than(0));
  f("base_batch", base_batch, "samples of a step that lr is meant for: it grows with their number; null: lr as it is",
    config::at_least(1));
  f("min_lr", min_lr, "cosine, poly: learning rate at the end", config::at_least(0));
  f("schedule", schedule, "of the learning rate", config::any_of({"cosine", "step", "poly", "constant"}));
  f("warmup_epochs", warmup_epochs, "epochs in which the learning rate rises from 0", config::at_least(0));
  f("warmup_steps", warmup_steps, "steps of it, instead of warmup_epochs", config::at_least(0));
  f("milestones", milestones, "step: epochs at which the learning rate falls", config::more_than(0));
  f("milestone_steps", milestone_steps, "step: steps of it, instead of milestones", config::at_least(1));
  f("gamma", gamma, "step: by what it is multiplied there", config::between(0, 1));
  f("power", power, "poly: 1 is a straight line", config::more_than(0));
  f("ema", ema, "what averages of the weights keep of themselves at a step; null: none are kept",
    config::between(0, 0.999999));
  f("log_every", log_every, "steps a line of metrics.jsonl", config::free(config::at_least(1)));
  f("checkpoint_every", checkpoint_every, "epochs between checkpoints", config::free(config::at_least(1)));
  f("checkpoint_steps", checkpoint_steps, "steps between them, too; null: at the ends of epochs only",
    config::free(config::at_least(1)));
  f("checkpoint_minutes", checkpoint_minutes, "at most so long without a checkpoint; null: no matter how long an epoch",
    config::free(config::more_than(0)));
  f("keep_last", keep_last, "checkpoints that stay", config::free(config::at_least(1)));
  f("processes", processes, "processes (ranks) that are started here and train together; null: this one alone",
    config::free(config::between(1, 1024)));
  f("rank_silence", rank_silence, "seconds after which a rank that says nothing, or stands still, ends the run",
    config::free(config::at_least(5)));
  f("shard", shard,
    "what each rank has a part of only: none; optimizer: its state (ZeRO-1); gradients: also the summed gradients "
    "(ZeRO-2)",
    config::free(config::any_of({"none", "optimizer", "gradients"})));
  f("sync_norm", sync_norm, "batch norms take the batches of all ranks as one; false: each its own");
  f("profile", profile, "steps whose operators OUT/profile.json shows, a Chrome trace; null: none",
    config::free(config::at_least(1)));
  f.group("optimizer", optimizer);
  if (!f.reading()) return;
  check_milestones(f, "milestones", milestones);
  check_milestones(f, "milestone_steps", milestone_steps);
  if (schedule == "step" && milestones.empty() == milestone_steps.empty())
    f.refuse("schedule", "step needs milestones or milestone_steps");
}

RunLength TrainerOptions::length(int64_t batches_per_epoch) const {
  FREEATM_CHECK(epochs || steps, "a run without an end");
  const int64_t steps_per_epoch = batches_per_epoch / accumulate;
  if (batches_per_epoch > 0 && steps_per_epoch == 0) {
    throw UserError("", "trainer.accumulate", "{} batches a step are more than the {} of an epoch", accumulate,
                    batches_per_epoch);
  }
  const int64_t all = epochs ? *epochs * steps_per_epoch : *steps;
  return {
      .steps_per_epoch = steps_per_epoch, .total_steps = std::min(all, steps.value_or(all)), .accumulate = accumulate};
}

int64_t TrainerOptions::warmup(int64_t steps_per_epoch) const {
  return warmup_steps.value_or(std::llround(warmup_epochs * static_cast<double>(steps_per_epoch)));
}

// MoCo v3, SimCLR, BYOL and MAE give their rates for 256 samples and multiply by samples / 256 (Goyal et al. 2017).
Schedule TrainerOptions::make_schedule(const RunLength& length, int64_t batch_size) const {
  const auto samples = static_cast<double>(batch_size * length.accumulate);
  const double peak = base_batch ? lr * samples / static_cast<double>(*base_batch) : lr;
  const int64_t wanted = warmup(length.steps_per_epoch), warmup_steps = std::min(wanted, length.total_steps);
  if (wanted > warmup_steps) {
    log::warning(
        "trainer.{}: {} steps of warm-up in a run of {}: the learning rate rises to its end, and never reaches {}",
        this->warmup_steps ? "warmup_steps" : "warmup_epochs", wanted, length.total_steps, peak);
  }
  if (schedule == "cosine") return CosineSchedule(peak, min_lr, warmup_steps, length.total_steps);
  if (schedule == "poly") return PolySchedule(peak, min_lr, power, warmup_steps, length.total_steps);
  if (schedule == "constant") return StepSchedule(peak, gamma, {}, warmup_steps);
  std::vector<int64_t> falls = milestone_steps;
  for (const double epoch : milestones)
    falls.push_back(std::llround(epoch * static_cast<double>(length.steps_per_epoch)));
  return StepSchedule(peak, gamma, falls, warmup_steps);
}

std::vector<int64_t> TrainerOptions::log_periods() const {
  if (checkpoint_steps) return {log_every, *checkpoint_steps};
  return {log_every};
}

CheckpointOptions TrainerOptions::checkpoints() const {
  return {.every_epochs = checkpoint_every,
          .every_steps = checkpoint_steps,
          .every_minutes = checkpoint_minutes,
          .keep_last = keep_last};
}

}  // namespace freeatm::training
