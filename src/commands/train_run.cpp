// SPDX-License-Identifier: Apache-2.0
#include "train_run.h"

#include <utility>

#include "freeatm/core/log.h"
#include "freeatm/models/device.h"
#include "freeatm/training/checkpoint_hook.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/log_hook.h"
#include "freeatm/training/objective_loader.h"
#include "freeatm/weights/load.h"

namespace freeatm::commands {
namespace {

/// bf16 where the device is quick at it.
at::ScalarType pick_compute(const std::string& name, at::Device device) {
  if (name != "auto") return models::pick_dtype(name, device);
  return models::computes_natively(device, at::kBFloat16) ? at::kBFloat16 : at::kFloat;
}

}  // namespace

void TrainRunOptions::fields(config::Fields& f) {
  f("out", out, "the run folder", config::free());
  f("seed", seed, "of weights, order and augmentations", config::between(0, 4294967295));
  f("device", device, "auto, cpu, cuda or cuda:N", config::free());
  f("dtype", dtype, "compute type; weights and losses stay fp32; auto: bf16 where the device is quick at it",
    config::any_of({"fp32", "bf16", "auto"}));
  f("resume", resume, "go on from the run folder's latest checkpoint", runs::any_resume());
  f.group("loader", loader);
  f.group("trainer", trainer);
}

TrainRun::TrainRun(std::shared_ptr<training::Objective> objective, const data::Dataset& dataset,
                   const TrainRunOptions& options, at::Device device)
    : objective_(std::move(objective)),
      options_(options),
      device_(device),
      compute_(pick_compute(options.dtype, device)),
      length_(options.trainer.length(dataset.size() / options.loader.batch_size)),
      loader_(training::objective_loader(objective_, dataset, options.loader, static_cast<uint64_t>(options.seed),
                                         length_)) {
  objective_->to(device);
  optimizer_ = training::make_optimizer(options.trainer.optimizer, objective_->parameter_groups());
}

void TrainRun::train(const std::string& label) {
  const fs::path out = options_.out;
  const auto checkpoint = training::checkpoint_to_go_on_from(out, options_.resume);
  const training::TrainerOptions& options = options_.trainer;
  training::Trainer trainer(*objective_, loader_, *optimizer_,
                            {.schedule = options.make_schedule(length_, options_.loader.batch_size),
                             .length = length_,
                             .device = device_,
                             .compute = compute_,
                             .seed = static_cast<uint64_t>(options_.seed)});
  training::RunState state{*objective_, *optimizer_};
  if (options.ema) {
    const weights::TensorMap trained = training::averaged_state(*objective_);
    state.averages = training::copy_of(trained);
    trainer.add(std::make_unique<training::EmaHook>(trained, state.averages, *options.ema));
  }
  training::Position start;
  if (checkpoint) {
    start = training::restore(*checkpoint, state);
    log::info("{}: goes on after step {} of {}", out.string(), start.step, length_.total_steps);
  }
  auto log_hook = std::make_unique<training::LogHook>(out, loader_, options.log_periods(), label);
  const auto check = [log = log_hook.get()] { log->check(); };
  trainer.add(std::move(log_hook));
  for (auto& hook : hooks_) trainer.add(std::move(hook));
  trainer.add(std::make_unique<training::CheckpointHook>(out, state, options.checkpoints(), check));
  trainer.train(start);
  if (options.ema) weights::load_into(weights::module_state(*objective_), state.averages);
  log::info("{}: {} steps are done", out.string(), length_.total_steps);
}

}  // namespace freeatm::commands
