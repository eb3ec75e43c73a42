// SPDX-License-Identifier: Apache-2.0
// How a stage is trained: time -> steps, run folder, trainer, hooks.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/runtime/ranks.h"

#include "ranks.h"
#include "train_diffusion.h"

namespace freeatm::commands {
namespace {

training::TrainRunOptions run_options(const TrainDiffusionOptions& options, at::Device device) {
  return {options.loader, options.trainer, static_cast<uint64_t>(options.seed), device};
}

/// Of a training that is thrown away: of several ranks each has its part of a batch, and the first one's time counts.
double seconds_a_step(const TrainDiffusionOptions& options, at::Device device, const StageRun& run) {
  runtime::Ranks& ranks = runtime::ranks();
  training::TrainRunOptions timed = run_options(options, device);
  timed.loader.batch_size = std::max<int64_t>(1, timed.loader.batch_size / ranks.rank().world);
  timed.trainer.steps = 1;  // the length is what is looked for
  runtime::Ranks alone;
  const at::Tensor seconds = [&] {
    const runtime::RanksScope scope(alone);
    return at::scalar_tensor(training::TrainRun(run.make_objective(), run.dataset, timed).time_step(), at::kDouble);
  }();
  ranks.take_from(0, seconds);
  return seconds.item<double>();
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
  const double seconds = seconds_a_step(options, device, run);
  const auto steps_in = [&](double minutes) { return std::max<int64_t>(1, std::llround(minutes * 60 / seconds)); };
  if (!options.preview.every_steps) options.preview.every_steps = steps_in(options.preview.every_minutes);
  if (options.budget_minutes && !options.trainer.steps) options.trainer.steps = steps_in(*options.budget_minutes);
}

}  // namespace

void run_stage(TrainDiffusionOptions& options, at::Device device, const StageRun& run) {
  const char* length_key = options.trainer.steps    ? "trainer.steps"
                           : options.budget_minutes ? "budget_minutes"
                                                    : "trainer.epochs";
  settle_steps(options, device, run);
  shorten_warmup(options);
  training::TrainRun training(run.make_objective(), run.dataset, run_options(options, device));
  const training::RunLength& length = training.length();
  const int64_t warmup = options.trainer.warmup(length.steps_per_epoch);
  if (warmup >= length.total_steps) {
    throw UserError("", length_key, "{} steps are no more than the warm-up's {}", length.total_steps, warmup);
  }
  const auto folder = claim_folder(options.claim());
  const fs::path out = options.stage_folder();
  log::info("{}: {} steps, a preview every {}", out.string(), length.total_steps, *options.preview.every_steps);
  if (folder) prepare_folder(out / "previews");
  run.add_hooks(training);
  training.add_preview(*options.preview.every_steps, [&](int64_t step) { run.preview(training.objective(), step); });
  training.train(out, options.resume, options.stage);
}

}  // namespace freeatm::commands
