// SPDX-License-Identifier: Apache-2.0
// freeatm pretrain: a dataset and an objective -> a trained backbone in a run folder.
#include <algorithm>
#include <memory>
#include <string>

#include "freeatm/commands/commands.h"
#include "freeatm/core/log.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/loader.h"
#include "freeatm/models/device.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/training/log_hook.h"
#include "freeatm/training/run_folder.h"
#include "freeatm/training/trainer.h"

#include "factories.h"

namespace freeatm::commands {
namespace {

struct PretrainOptions {
  std::string out, device = "auto", dtype = "fp32", resume = "auto";
  int64_t seed = 0;
  data::DatasetOptions data;
  ModelOptions model;
  ObjectiveOptions objective;
  data::LoaderOptions loader;
  training::TrainerOptions trainer;

  void fields(config::Fields& f) {
    f("out", out, "the run folder");
    f("seed", seed, "of weights, order and augmentations", config::between(0, 4294967295));
    f("device", device, "auto, cpu, cuda or cuda:N");
    f("dtype", dtype, "compute type", config::any_of({"fp32"}));
    f("resume", resume, "go on from the run folder's latest checkpoint", config::any_of({"auto", "never", "must"}));
    f.group("data", data);
    f.group("model", model);
    f.group("objective", objective);
    f.group("loader", loader);
    f.group("trainer", trainer);
  }
};

/// `prepare` for the loader, whose progress is counted in whole epochs; the run may end inside one.
data::Prepare prepare_with(std::shared_ptr<training::Objective> objective, const training::RunLength& length) {
  const double scale =
      static_cast<double>(length.epochs() * length.steps_per_epoch) / static_cast<double>(length.total_steps);
  return [objective, scale](data::Sample&& sample, RandomStream& random, double progress) {
    return objective->prepare(std::move(sample), random, std::min(1.0, progress * scale));
  };
}

}  // namespace

int pretrain(const config::Composed& composed) {
  const auto options = config::read<PretrainOptions>(composed);
  const at::Device device = models::pick_device(options.device);
  const auto dataset = data::open_dataset(options.data);
  const auto seed = static_cast<uint64_t>(options.seed);
  const auto objective = make_objective(options.objective, options.model, seed);
  objective->to(device);

  const training::RunLength length = options.trainer.length(dataset->size() / options.loader.batch_size);
  data::Loader loader(*dataset, prepare_with(objective, length), options.loader, seed, length.epochs());
  const auto optimizer = training::make_optimizer(options.trainer.optimizer, objective->parameter_groups());
  training::Trainer trainer(*objective, loader, *optimizer, options.trainer.schedule(length), length, device);

  const fs::path out = options.out;
  const auto checkpoint = training::open_run_folder(out, config::dump(options), options.resume);
  training::Position start;
  if (checkpoint) {
    start = training::restore(*checkpoint, *objective, *optimizer);
    log::info("{}: goes on after step {} of {}", out.string(), start.step, length.total_steps);
  }
  trainer.add(std::make_unique<training::LogHook>(out, loader, options.trainer.log_every));
  trainer.add(std::make_unique<training::CheckpointHook>(out, *objective, *optimizer, options.trainer.checkpoint_every,
                                                         options.trainer.keep_last));
  trainer.train(start);
  log::info("{}: {} steps are done", out.string(), length.total_steps);
  return 0;
}

}  // namespace freeatm::commands
