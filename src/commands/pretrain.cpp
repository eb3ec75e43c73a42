// SPDX-License-Identifier: Apache-2.0
// freeatm pretrain: a dataset and an objective -> a trained backbone in a run folder.
#include "freeatm/commands/commands.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/probe_hook.h"
#include "freeatm/models/model.h"
#include "freeatm/objectives/recipe.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/runtime/device.h"
#include "freeatm/training/collapse_alarm.h"

#include "train_options.h"

namespace freeatm::commands {
namespace {

struct PretrainOptions {
  TrainOptions run;
  data::DatasetOptions data;
  models::ModelOptions model;
  objectives::ObjectiveOptions objective;
  evaluation::ProbeOptions probe;

  void fields(config::Fields& f) {
    run.fields(f);
    f.group("data", data);
    f.group("model", model);
    f.group("objective", objective);
    f.group("probe", probe);
  }
};

}  // namespace

int pretrain(const config::Composed& composed) {
  const auto options = config::read<PretrainOptions>(composed);
  const at::Device device = runtime::pick_device(options.run.device);
  const objectives::Recipe& recipe = *options.objective.recipe;
  const auto dataset = recipe.wrap(data::open_dataset(options.data));
  const auto seed = static_cast<uint64_t>(options.run.seed);
  const auto objective = recipe.make([&] { return options.model.make(seed); }, seed);
  training::TrainRun run(objective, *dataset, options.run.run(device));
  run.add(std::make_unique<training::CollapseAlarm>());
  if (options.probe.every) {
    auto& backbone = dynamic_cast<models::Backbone&>(*objective->named_children()["backbone"]);
    run.add(std::make_unique<evaluation::ProbeHook>(options.run.out, backbone, device, options.probe));
  }
  const runs::RunFolder folder(options.run.claim(options, {runs::data_input(options.data.root, options.data.split)}));
  run.train(folder.path(), options.run.resume, "pretrain");
  return 0;
}

}  // namespace freeatm::commands
