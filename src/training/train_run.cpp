// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/train_run.h"

#include <utility>

#include "freeatm/core/log.h"
#include "freeatm/training/checkpoint_hook.h"
#include "freeatm/training/log_hook.h"
#include "freeatm/training/objective_loader.h"
#include "freeatm/training/periodic_hook.h"
#include "freeatm/training/profile_hook.h"
#include "freeatm/training/timing.h"
#include "freeatm/weights/load.h"

namespace freeatm::training {
namespace {

data::LoaderOptions loader_for(const TrainRunOptions& options) {
  data::LoaderOptions loader = options.loader;
  loader.pin_memory = !options.device.is_cpu();
  return loader;
}

}  // namespace

TrainRun::TrainRun(std::shared_ptr<Objective> objective, const data::Dataset& dataset, const TrainRunOptions& options)
    : objective_(std::move(objective)),
      options_(options),
      length_(options.trainer.length(dataset.size() / options.loader.batch_size)),
      loader_(objective_loader(objective_, dataset, loader_for(options), options.seed, length_)) {
  objective_->to(options.device);
  optimizer_ = make_optimizer(options.trainer.optimizer, objective_->parameter_groups());
}

void TrainRun::add_preview(int64_t every_steps, std::function<void(int64_t step)> show) {
  previews_.push_back(std::make_unique<PeriodicHook>(every_steps, std::move(show)));
}

void TrainRun::train(const fs::path& out, const std::string& resume, const std::string& label) {
  const TrainerOptions& options = options_.trainer;
  auto checkpoint = checkpoint_to_go_on_from(out, resume);
  Trainer trainer(*objective_, loader_, *optimizer_,
                  {.schedule = options.make_schedule(length_, options_.loader.batch_size),
                   .length = length_,
                   .device = options_.device,
                   .compute = options_.compute,
                   .seed = options_.seed});
  RunState state{*objective_, *optimizer_};
  if (options.ema) {
    const weights::TensorMap trained = averaged_state(*objective_);
    state.averages = copy_of(trained);
    trainer.add(std::make_unique<EmaHook>(Averages(trained, state.averages), *options.ema));
  }
  Position start;
  if (checkpoint) {
    start = restore(*std::move(checkpoint), state);
    log::info("{}: goes on after step {} of {}", out.string(), start.step, length_.total_steps);
  }
  auto log_hook = std::make_unique<LogHook>(out, loader_, options.log_periods(), label);
  const auto check = [log = log_hook.get()] { log->check(); };
  trainer.add(std::move(log_hook));
  for (auto& hook : hooks_) trainer.add(std::move(hook));
  trainer.add(std::make_unique<CheckpointHook>(out, state, options.checkpoints(), check));
  for (auto& preview : previews_) trainer.add(std::move(preview));
  if (options.profile)
    trainer.add(std::make_unique<ProfileHook>(out / "profile.json", *options.profile, options_.device));
  trainer.train(start);
  if (options.ema) weights::load_into(weights::module_state(*objective_), state.averages);
  log::info("{}: {} steps are done", out.string(), length_.total_steps);
}

double TrainRun::time_step() {
  return static_cast<double>(length_.accumulate) *
         training::time_step(*objective_, loader_, *optimizer_, options_.device);
}

}  // namespace freeatm::training
