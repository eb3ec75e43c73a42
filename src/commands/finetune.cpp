// SPDX-License-Identifier: Apache-2.0
// freeatm finetune: a backbone, pretrained or new, and labelled pictures -> a trained classifier and its scores.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/splits.h"
#include "freeatm/objectives/classification/classification.h"
#include "freeatm/objectives/trained_models.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/runtime/device.h"

#include "train_options.h"

namespace freeatm::commands {
namespace {

struct FinetuneOptions {
  std::string task = "classification", checkpoint;
  TrainOptions run;
  data::DatasetOptions data;
  std::vector<std::string> eval_splits = {"val", "test", "shifted"};
  std::optional<std::string> global_pool;
  objectives::WeightsOptions weights;
  models::ModelOptions model;
  objectives::ClassificationOptions objective;

  void fields(config::Fields& f) {
    f("task", task, "what is learnt", config::any_of({"classification"}));
    f("checkpoint", checkpoint, "whose backbone is the start: a run folder, weights of timm or torchvision, or none");
    f.group("weights", weights);
    run.fields(f);
    f.group("data", data);
    f("eval_splits", eval_splits, "judged at the end: those of these that data.root has");
    f("global_pool", global_pool, "of a vit: token or avg; null: as the model has it",
      config::any_of({"token", "avg"}));
    f.group("model", model);  // a run has its own
    f.group("objective", objective);
  }
};

/// A model as finetuning wants it: for pictures as large as the views, with the pooling that was asked for.
void fit_to_task(models::ModelOptions& model, const FinetuneOptions& options) {
  model.fit_to_pictures(options.objective.augment.size, "objective.augment.size");
  model.prepare_finetuning(options.global_pool);
}

/// The start of the training. Where a run gives its weights, its model is the one that is trained and saved.
std::shared_ptr<models::Backbone> make_backbone(FinetuneOptions& options) {
  const auto seed = static_cast<uint64_t>(options.run.seed);
  if (options.checkpoint == "none") {
    fit_to_task(options.model, options);
    return options.model.make(seed);
  }
  objectives::Pretrained start = objectives::open_pretrained(options.checkpoint, options.model, options.weights);
  fit_to_task(start.model, options);
  options.model = start.model;
  return start.load(seed);
}

}  // namespace

int finetune(const config::Composed& composed) {
  auto options = config::read<FinetuneOptions>(composed);
  const at::Device device = runtime::pick_device(options.run.device);
  const evaluation::Split train{options.data.split, data::open_dataset(options.data)};
  options.objective = options.objective.settled_for(*train.dataset, options.data.root);
  const auto open = [&](const std::string& split) {
    data::DatasetOptions data = options.data;
    data.split = split;
    return data::open_dataset(data);
  };
  const auto splits = evaluation::open_splits(options.data.root, options.eval_splits, "eval_splits", train, open);
  const auto class_names = train.dataset->class_names();
  const auto classifier =
      std::make_shared<objectives::Classification>(make_backbone(options), static_cast<int64_t>(class_names.size()),
                                                   options.objective, static_cast<uint64_t>(options.run.seed));
  training::TrainRun run(classifier, *train.dataset, options.run.run(device));

  const fs::path out = options.run.out;
  std::vector<runs::Input> inputs{runs::data_input(options.data.root, options.data.split)};
  if (options.checkpoint != "none") inputs.push_back({"checkpoint", runs::identity_of(options.checkpoint)});
  const runs::RunFolder folder(options.run.claim(options, std::move(inputs)));
  objectives::write_class_names(out, class_names);
  run.train(out, options.run.resume, "finetune");  // to the averages of the weights, where they are kept

  classifier->eval();
  evaluation::Metrics metrics;
  const evaluation::Classify classify = [&](std::span<const data::Sample> some) { return classifier->logits(some); };
  for (const evaluation::Split& split : splits) {
    const auto evaluator = evaluation::quality_of(classify, *split.dataset);
    append(metrics, evaluation::judge(*evaluator, *split.dataset, {}, options.run.loader.batch_size, split.name),
           split.name);
  }
  evaluation::write_metrics(out, options.task, metrics);
  evaluation::print_metrics(out);
  return 0;
}

}  // namespace freeatm::commands
