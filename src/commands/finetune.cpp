// SPDX-License-Identifier: Apache-2.0
// freeatm finetune: a backbone, pretrained or new, and annotated pictures -> a trained model and its scores.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/commands/commands.h"
#include "freeatm/core/names.h"
#include "freeatm/data/dataset.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/runtime/ranks.h"

#include "finetune_task.h"
#include "ranks.h"
#include "train_options.h"

namespace freeatm::commands {
namespace {

struct NamedTask {
  const char* name;
  std::unique_ptr<FinetuneTask> (*make)();
};

constexpr NamedTask kFinetuneTasks[] = {
    {"classification", classification_task},
    {"detection", detection_task},
    {"segmentation", segmentation_task},
};

/// None for a name that is no task's.
std::unique_ptr<FinetuneTask> make_finetune_task(const std::string& name) {
  const auto* task =
      std::ranges::find(kFinetuneTasks, name, [](const NamedTask& one) { return std::string(one.name); });
  return task == std::end(kFinetuneTasks) ? nullptr : task->make();
}

struct FinetuneOptions {
  std::string task = "classification", checkpoint;
  std::shared_ptr<FinetuneTask> of_task;
  TrainOptions run;
  data::DatasetOptions data;
  std::optional<std::string> eval_root;
  std::vector<std::string> eval_splits = {"val", "test", "background", "look", "drawing", "shifted"};
  objectives::WeightsOptions weights;
  models::ModelOptions model;

  FinetuneOptions() { run.device.cudnn_benchmark = false; }  // a detector's pictures have many sizes
  void fields(config::Fields& f) {
    const std::string before = task;
    f("task", task, "what is learnt", config::any_of(names_in(kFinetuneTasks)));
    if (!of_task || task != before) of_task = make_finetune_task(task);
    f("checkpoint", checkpoint, "whose backbone is the start: a run folder, weights of timm or torchvision, or none");
    f.group("weights", weights);
    run.fields(f);
    f.group("data", data);
    f("eval_root", eval_root, "whose splits are judged; null: data.root's");
    f("eval_splits", eval_splits, "judged at the end: those of these that are there");
    f.group("model", model);  // a run has its own
    if (of_task) of_task->fields(f);
  }
};

/// The data that are judged, but for the split.
data::DatasetOptions judged_data(const FinetuneOptions& options) {
  data::DatasetOptions data = options.data.root_alone();
  if (options.eval_root) data.root = *options.eval_root, data.layout = "auto";
  return data;
}

/// What is learnt from. Where its samples have no annotations of their own, a harvest's, the task makes some, in the
/// classes that are judged.
std::unique_ptr<data::Dataset> open_training_data(const FinetuneOptions& options) {
  auto dataset = data::open_dataset(options.data);
  if (!dataset->class_names().empty()) return dataset;
  std::vector<std::string> classes;
  data::DatasetOptions data = judged_data(options);
  for (const std::string& split : options.eval_splits) {
    data.split = split;
    if (classes.empty() && data::has_split(data)) classes = data::open_dataset(data)->class_names();
  }
  return options.of_task->annotated(std::move(dataset), classes);
}

/// What is trained. Where a run gives its weights, its model is the one that is trained and saved.
std::shared_ptr<training::Objective> make_objective(FinetuneOptions& options, int64_t classes) {
  const auto seed = static_cast<uint64_t>(options.run.seed);
  if (options.checkpoint == "none") {
    options.of_task->fit(options.model);
    return options.of_task->make(nullptr, options.model, classes, seed);
  }
  objectives::Pretrained start = objectives::open_pretrained(options.checkpoint, options.model, options.weights);
  options.of_task->fit(start.model);
  options.model = start.model;
  return options.of_task->make(&start, options.model, classes, seed);
}

int finetune_as_rank(FinetuneOptions& options) {
  FinetuneTask& task = *options.of_task;
  options.data.label_maps = task.wants_label_maps();
  const at::Device device = options.run.device.pick();
  const evaluation::Split train{options.data.split, open_training_data(options)};
  task.settle(*train.dataset, options.data.root);
  const auto open = [data = judged_data(options)](const std::string& split) mutable {
    data.split = split;
    return data::open_dataset(data);
  };
  const auto class_names = train.dataset->class_names();
  const auto splits =
      evaluation::open_splits(judged_data(options), options.eval_splits, "eval_splits", class_names, open);
  const auto objective = make_objective(options, static_cast<int64_t>(class_names.size()));
  training::TrainRunOptions run_options = options.run.run(device);
  task.adjust(run_options.loader);
  training::TrainRun run(objective, *train.dataset, run_options);

  const fs::path out = of_the_first(options.run.out);  // whose `now` is another
  std::vector<runs::Input> inputs =
      runs::data_inputs(options.data.root, options.data.mix_with, options.data.filter.scores, options.data.split);
  if (options.eval_root) inputs.push_back({"eval_root", runs::data_input(*options.eval_root, "").identity});
  if (options.checkpoint != "none") inputs.push_back({"checkpoint", runs::identity_of(options.checkpoint)});
  const auto folder = claim_folder(options.run.claim(options, std::move(inputs)));
  if (folder) objectives::write_class_names(out, class_names);
  run.train(out, options.run.resume, "finetune");  // to the averages of the weights, where they are kept

  objective->eval();
  evaluation::Metrics metrics;
  for (const evaluation::Split& split : splits)
    append(metrics, task.judge(split, options.run.loader.batch_size, out), split.name);
  if (!folder) return 0;
  evaluation::write_metrics(out, options.task, metrics);
  evaluation::print_metrics(out);
  return 0;
}

}  // namespace

int finetune(const config::Composed& composed) {
  auto options = config::read<FinetuneOptions>(composed);
  return options.run.in_ranks([&] { return finetune_as_rank(options); });
}

}  // namespace freeatm::commands
