// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/knn.h"
#include "freeatm/models/device.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/training/run_folder.h"
#include "freeatm/weights/load.h"

#include "evaluate_tasks.h"
#include "factories.h"

namespace freeatm::commands {
namespace {

struct LabelledData {
  std::string root, train_split = "train", test_split = "test";
  std::optional<int64_t> limit;
  void fields(config::Fields& f) {
    f("root", root, "an image folder, <split>/<class>/*.png");
    f("train_split", train_split, "the neighbours");
    f("test_split", test_split, "the pictures that are classified");
    f("limit", limit, "classify so many pictures, spread evenly; null: all", config::at_least(1));
  }
};

struct KnnTaskOptions {
  EvaluateOptions common;
  std::string checkpoint;
  LabelledData data;
  evaluation::KnnOptions knn;
  void fields(config::Fields& f) {
    common.fields(f);
    f("checkpoint", checkpoint, "the run folder of a pretraining");
    f.group("data", data);
    f.group("knn", knn);
  }
};

/// The model's options as the run's config.yaml has them; that file holds other keys too, which are not ours.
ModelOptions model_of_run(const fs::path& run) {
  const config::Node saved = training::run_config(run, "checkpoint");
  const config::Node* model = saved.find("model");
  if (model == nullptr)
    throw UserError(run.string(), "checkpoint", "is no pretraining's run folder: its config.yaml has no model");
  return config::read<ModelOptions>({.command = "evaluate", .tree = *model});
}

/// The tensors under "backbone.", without that prefix: the trained encoder.
weights::TensorMap backbone_weights(const fs::path& checkpoint) {
  constexpr std::string_view kPrefix = "backbone.";
  weights::TensorMap backbone;
  for (const auto& [name, tensor] : training::load_checkpoint_model(checkpoint)) {
    if (name.starts_with(kPrefix)) backbone[name.substr(kPrefix.size())] = tensor;
  }
  return backbone;
}

}  // namespace

Metrics evaluate_knn(const config::Composed& composed) {
  const auto options = config::read<KnnTaskOptions>(composed);
  const fs::path run = options.checkpoint;
  const ModelOptions model_options = model_of_run(run);
  const fs::path checkpoint = training::require_checkpoint(run, "checkpoint");
  const auto train = data::open_image_folder(options.data.root, options.data.train_split);
  const auto test = data::open_image_folder(options.data.root, options.data.test_split);
  if (train->class_names() != test->class_names()) {
    throw UserError(options.data.root, "data.root", "{} and {} do not hold the same classes", options.data.train_split,
                    options.data.test_split);
  }
  const at::Device device = models::pick_device(options.common.device);
  prepare_folder(options.common.out);
  const auto accuracy = [&](models::Backbone& backbone, const std::string& label) {
    backbone.to(device);
    evaluation::Knn knn(backbone, device, *train, options.knn);
    return judge(knn, *test, options.data.limit, options.knn.batch_size, label);
  };

  // The same architecture, untrained: what a score is worth without it, nobody can say.
  const auto model = make_model(model_options, static_cast<uint64_t>(options.common.seed));
  const Metrics random = accuracy(*model, "random weights");
  weights::require_complete(weights::load_into(weights::module_state(*model), backbone_weights(checkpoint)),
                            checkpoint.string());
  Metrics metrics = accuracy(*model, "pretrained weights");
  for (const auto& [name, value] : random) metrics.push_back({name + "_random_weights", value});
  metrics.push_back({"chance", 1.0 / static_cast<double>(train->class_names().size())});
  return metrics;
}

}  // namespace freeatm::commands
