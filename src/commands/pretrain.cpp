// SPDX-License-Identifier: Apache-2.0
// freeatm pretrain: a dataset and an objective -> a trained backbone in a run folder.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/probe_hook.h"
#include "freeatm/models/model.h"
#include "freeatm/objectives/recipe.h"
#include "freeatm/objectives/trained_models.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/training/collapse_alarm.h"

#include "ranks.h"
#include "train_options.h"

namespace freeatm::commands {
namespace {

struct PretrainOptions {
  std::string checkpoint = "none";
  objectives::WeightsOptions weights;
  TrainOptions run;
  data::DatasetOptions data;
  models::ModelOptions model;
  objectives::ObjectiveOptions objective;
  evaluation::ProbeOptions probe;

  void fields(config::Fields& f) {
    f("checkpoint", checkpoint,
      "what the training starts from: a run folder, weights of timm, torchvision or a method's authors, or none");
    f.group("weights", weights);
    run.fields(f);
    f.group("data", data);
    f.group("model", model);  // a run has its own
    f.group("objective", objective);
    f.group("probe", probe);
  }
};

/// A run as the start has its own model, which is the one that is trained and saved.
std::shared_ptr<training::Objective> make_objective(PretrainOptions& options, std::vector<runs::Input>& inputs) {
  const objectives::Recipe& recipe = *options.objective.recipe;
  const auto seed = static_cast<uint64_t>(options.run.seed);
  if (options.checkpoint == "none") return recipe.make([&] { return options.model.make(seed); }, seed);
  const objectives::Pretrained start = objectives::open_pretrained(options.checkpoint, options.model, options.weights);
  options.model = start.model;
  inputs.push_back({"checkpoint", runs::identity_of(options.checkpoint)});
  return objectives::start_from(start, recipe, seed);
}

int pretrain_as_rank(PretrainOptions& options) {
  const at::Device device = options.run.device.pick();
  const objectives::Recipe& recipe = *options.objective.recipe;
  if (recipe.contrasts() && options.run.loader.batch_size == 1)
    throw UserError("", "loader.batch_size", "1: a picture is contrasted with others");
  const auto dataset = recipe.wrap(data::open_dataset(options.data));
  std::vector<runs::Input> inputs =
      runs::data_inputs(options.data.root, options.data.mix_with, options.data.filter.scores, options.data.split);
  for (runs::Input& input : recipe.inputs()) inputs.push_back(std::move(input));
  const auto objective = make_objective(options, inputs);
  training::TrainRun run(objective, *dataset, options.run.run(device));
  run.add(std::make_unique<training::CollapseAlarm>());
  if (options.probe.every) {
    auto& backbone = dynamic_cast<models::Backbone&>(*objective->named_children()["backbone"]);
    run.add(std::make_unique<evaluation::ProbeHook>(options.run.out, backbone, device, options.probe));
  }
  recipe.add_previews(run, *dataset, fs::path(options.run.out) / "previews");
  const auto folder = claim_folder(options.run.claim(options, std::move(inputs)));
  run.train(options.run.out, options.run.resume, "pretrain");
  return 0;
}

}  // namespace

int pretrain(const config::Composed& composed) {
  auto options = config::read<PretrainOptions>(composed);
  return options.run.in_ranks([&] { return pretrain_as_rank(options); });
}

}  // namespace freeatm::commands
