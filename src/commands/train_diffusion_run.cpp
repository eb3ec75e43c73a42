// SPDX-License-Identifier: Apache-2.0
// How a stage is trained: time -> steps, run folder, trainer, hooks.
#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/training/checkpoint_hook.h"
#include "freeatm/training/log_hook.h"
#include "freeatm/training/objective_loader.h"
#include "freeatm/training/periodic_hook.h"
#include "freeatm/training/timing.h"

#include "train_diffusion.h"

namespace freeatm::commands {
namespace {

/// What trains, all of one piece.
struct Parts {
  std::shared_ptr<training::Objective> objective;
  std::unique_ptr<data::Loader> loader;
  std::unique_ptr<training::Optimizer> optimizer;
};

Parts make_parts(const TrainDiffusionOptions& options, const StageRun& run) {
  Parts parts;
  parts.objective = run.make_objective();
  parts.loader.reset(new data::Loader(
      training::objective_loader(parts.objective, run.dataset, options.loader, static_cast<uint64_t>(options.seed))));
  parts.optimizer = training::make_optimizer(options.trainer.optimizer, parts.objective->parameter_groups());
  return parts;
}

std::optional<int64_t> saved_integer(const config::Node& config, const char* path) {
  const config::Node* node = config.find_path(path);
  if (node == nullptr || !std::holds_alternative<int64_t>(node->value())) return std::nullopt;
  return std::get<int64_t>(node->value());
}

constexpr int64_t kLeastWarmup = 10;  // steps: a budget for no more is refused

/// A short budget has a short warm-up: at most a fifth of its steps.
void shorten_warmup(TrainDiffusionOptions& options) {
  auto& warmup = options.trainer.warmup_steps;
  if (!options.budget_minutes || !options.trainer.steps || !warmup) return;
  warmup = std::min(*warmup, std::max(kLeastWarmup, *options.trainer.steps / 5));
}

/// Minutes become steps: those of the run that is there, or by a timing.
void settle_steps(TrainDiffusionOptions& options, at::Device device, const StageRun& run) {
  const fs::path saved = options.stage_folder() / "config.yaml";
  if (fs::exists(saved)) {
    const config::Node config = config::load_yaml(saved.string());
    if (options.budget_minutes && !options.trainer.steps)
      options.trainer.steps = saved_integer(config, "trainer.steps");
    if (!options.preview.every_steps) options.preview.every_steps = saved_integer(config, "preview.every_steps");
  }
  const bool is_settled = options.preview.every_steps && (options.trainer.steps || !options.budget_minutes);
  if (is_settled) return;
  Parts spent = make_parts(options, run);
  const double seconds = static_cast<double>(options.trainer.accumulate) *
                         training::time_step(*spent.objective, *spent.loader, *spent.optimizer, device);
  const auto steps_in = [&](double minutes) { return std::max<int64_t>(1, std::llround(minutes * 60 / seconds)); };
  if (!options.preview.every_steps) options.preview.every_steps = steps_in(options.preview.every_minutes);
  if (options.budget_minutes && !options.trainer.steps) options.trainer.steps = steps_in(*options.budget_minutes);
}

}  // namespace

void run_stage(TrainDiffusionOptions& options, at::Device device, const StageRun& run) {
  settle_steps(options, device, run);
  shorten_warmup(options);
  Parts parts = make_parts(options, run);
  const training::RunLength length = options.trainer.length(parts.loader->steps_per_epoch());
  const int64_t warmup = options.trainer.warmup(length.steps_per_epoch);
  if (warmup >= length.total_steps) {
    throw UserError("", options.budget_minutes ? "budget_minutes" : "trainer.steps",
                    "{} steps are no more than the warm-up's {}", length.total_steps, warmup);
  }
  training::Trainer trainer(*parts.objective, *parts.loader, *parts.optimizer,
                            {.schedule = options.trainer.make_schedule(length, options.loader.batch_size),
                             .length = length,
                             .device = device,
                             .seed = static_cast<uint64_t>(options.seed)});

  const runs::RunFolder folder(options.claim());
  const fs::path out = folder.path();
  const auto checkpoint = training::checkpoint_to_go_on_from(out, options.resume);
  const training::RunState state{*parts.objective, *parts.optimizer};
  training::Position start;
  if (checkpoint) {
    start = training::restore(*checkpoint, state);
    log::info("{}: goes on after step {} of {}", out.string(), start.step, length.total_steps);
  } else {
    log::info("{}: {} steps, a preview every {}", out.string(), length.total_steps, *options.preview.every_steps);
  }
  prepare_folder(out / "previews");
  run.add_hooks(*parts.objective, trainer);
  auto log_hook = std::make_unique<training::LogHook>(out, *parts.loader, options.trainer.log_periods(), options.stage);
  const auto check = [log = log_hook.get()] { log->check(); };
  trainer.add(std::move(log_hook));
  trainer.add(std::make_unique<training::CheckpointHook>(out, state, options.trainer.checkpoints(), check));
  trainer.add(std::make_unique<training::PeriodicHook>(*options.preview.every_steps,
                                                       [&](int64_t step) { run.preview(*parts.objective, step); }));
  trainer.train(start);
  log::info("{}: {} steps are done", out.string(), length.total_steps);
}

}  // namespace freeatm::commands
