// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/train_run.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/runtime/ranks.h"
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
  loader.rank = runtime::ranks().rank();
  if (loader.batch_size % loader.rank.world != 0)
    throw UserError("", "loader.batch_size", "{} samples a step cannot be shared evenly by {} ranks", loader.batch_size,
                    loader.rank.world);
  loader.batch_size /= loader.rank.world;
  return loader;
}

/// A hook of the first rank alone: what it computes is not shared with the others, who go on meanwhile.
class HookOfTheFirst final : public Hook {
 public:
  explicit HookOfTheFirst(std::unique_ptr<Hook> hook) : hook_(std::move(hook)) {}
  void before_train(const RunLength& length, const Position& start) override {
    const runtime::RanksScope scope(alone_);
    hook_->before_train(length, start);
  }
  void after_step(const StepReport& report) override {
    const runtime::RanksScope scope(alone_);
    hook_->after_step(report);
  }
  void after_epoch(const Position& position) override {
    const runtime::RanksScope scope(alone_);
    hook_->after_epoch(position);
  }
  void at_end(const Position& position) override {
    const runtime::RanksScope scope(alone_);
    hook_->at_end(position);
  }

 private:
  std::unique_ptr<Hook> hook_;
  runtime::Ranks alone_;
};

/// The first rank's run becomes everyone's.
void share(runtime::Ranks& ranks, const RunState& state, Position& position) {
  if (ranks.is_alone()) return;
  const at::Tensor where = at::tensor({position.epoch, position.step_in_epoch, position.step});
  ranks.take_from(0, where);
  position = {where[0].item<int64_t>(), where[1].item<int64_t>(), where[2].item<int64_t>()};
  for (const auto& tensors : {weights::module_state(state.model), state.averages}) {
    for (const auto& [name, tensor] : tensors) ranks.take_from(0, tensor);
  }
  state.optimizer.share();
}

}  // namespace

TrainRun::TrainRun(std::shared_ptr<Objective> objective, const data::Dataset& dataset, const TrainRunOptions& options)
    : objective_(std::move(objective)),
      options_(options),
      length_(options.trainer.length(dataset.size() / options.loader.batch_size)),
      loader_(objective_loader(objective_, dataset, loader_for(options), options.seed, length_)) {
  objective_->to(options.device);
  optimizer_ = make_sharded_optimizer(options.trainer.optimizer, objective_->parameter_groups(), options.trainer.shard);
}

void TrainRun::add(std::unique_ptr<Hook> hook) {
  if (runtime::ranks().is_first()) hooks_.push_back(std::make_unique<HookOfTheFirst>(std::move(hook)));
}

void TrainRun::add_preview(int64_t every_steps, std::function<void(int64_t step)> show) {
  if (!runtime::ranks().is_first()) return;
  auto hook = std::make_unique<PeriodicHook>(every_steps, std::move(show));
  previews_.push_back(std::make_unique<HookOfTheFirst>(std::move(hook)));
}

void TrainRun::train(const fs::path& out, const std::string& resume, const std::string& label) {
  const TrainerOptions& options = options_.trainer;
  runtime::Ranks& ranks = runtime::ranks();
  ranks.norm_as_one(options.sync_norm);
  std::optional<FoundCheckpoint> checkpoint;
  if (ranks.is_first()) checkpoint = checkpoint_to_go_on_from(out, resume);
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
  share(ranks, state, start);
  auto log_hook = std::make_unique<LogHook>(out, loader_, options.log_periods(), label);
  const auto check = [log = log_hook.get()] { log->check(); };
  trainer.add(std::move(log_hook));
  for (auto& hook : hooks_) trainer.add(std::move(hook));
  trainer.add(std::make_unique<CheckpointHook>(out, state, options.checkpoints(), check));
  for (auto& preview : previews_) trainer.add(std::move(preview));
  if (options.profile && ranks.is_first())
    trainer.add(std::make_unique<ProfileHook>(out / "profile.json", *options.profile, options_.device));
  if (!ranks.is_first()) log::set_level(log::Level::kWarning);  // each reads samples of its own
  trainer.train(start);
  if (options.ema) weights::load_into(weights::module_state(*objective_), state.averages);
  log::info("{}: {} steps are done", out.string(), length_.total_steps);
}

double TrainRun::time_step() {
  return static_cast<double>(length_.accumulate) *
         training::time_step(*objective_, loader_, *optimizer_, options_.device);
}

}  // namespace freeatm::training
