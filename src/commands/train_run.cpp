// SPDX-License-Identifier: Apache-2.0
#include "train_run.h"

#include <algorithm>
#include <utility>

#include "freeatm/core/log.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/training/log_hook.h"

namespace freeatm::commands {
namespace {

/// `prepare` for the loader, whose progress is counted in whole epochs; the run may end inside one.
data::Prepare prepare_with(std::shared_ptr<training::Objective> objective, const training::RunLength& length) {
  const double scale =
      static_cast<double>(length.epochs() * length.steps_per_epoch) / static_cast<double>(length.total_steps);
  return [objective, scale](data::Sample&& sample, RandomStream& random, double progress) {
    return objective->prepare(std::move(sample), random, std::min(1.0, progress * scale));
  };
}

}  // namespace

void TrainRunOptions::fields(config::Fields& f) {
  f("out", out, "the run folder");
  f("seed", seed, "of weights, order and augmentations", config::between(0, 4294967295));
  f("device", device, "auto, cpu, cuda or cuda:N");
  f("dtype", dtype, "compute type", config::any_of({"fp32"}));
  f("resume", resume, "go on from the run folder's latest checkpoint", config::any_of({"auto", "never", "must"}));
  f.group("loader", loader);
  f.group("trainer", trainer);
}

TrainRun::TrainRun(std::shared_ptr<training::Objective> objective, const data::Dataset& dataset,
                   const TrainRunOptions& options, at::Device device)
    : objective_(std::move(objective)),
      options_(options),
      device_(device),
      length_(options.trainer.length(dataset.size() / options.loader.batch_size)),
      loader_(dataset, prepare_with(objective_, length_), options.loader, static_cast<uint64_t>(options.seed),
              length_.epochs()) {
  objective_->to(device);
  optimizer_ = training::make_optimizer(options.trainer.optimizer, objective_->parameter_groups());
}

void TrainRun::train(const std::optional<fs::path>& checkpoint, const std::string& label) {
  const fs::path out = options_.out;
  const training::TrainerOptions& options = options_.trainer;
  training::Position start;
  if (checkpoint) {
    start = training::restore(*checkpoint, *objective_, *optimizer_);
    log::info("{}: goes on after step {} of {}", out.string(), start.step, length_.total_steps);
  }
  training::Trainer trainer(*objective_, loader_, *optimizer_, options.schedule(length_), length_, device_);
  trainer.add(std::make_unique<training::LogHook>(out, loader_, options.log_every, label));
  trainer.add(std::make_unique<training::CheckpointHook>(out, *objective_, *optimizer_, options.checkpoint_every,
                                                         options.keep_last, options.checkpoint_minutes));
  trainer.train(start);
  log::info("{}: {} steps are done", out.string(), length_.total_steps);
}

}  // namespace freeatm::commands
