// SPDX-License-Identifier: Apache-2.0
#include "trained_models.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/training/run_folder.h"
#include "freeatm/weights/load.h"

namespace freeatm::commands {
namespace {

constexpr const char* kClassesFile = "classes.json";

template <class Options>
Options options_of_run(const fs::path& run, const char* group) {
  const config::Node saved = training::run_config(run, "checkpoint");
  const config::Node* options = saved.find(group);
  if (options == nullptr || !options->is_map()) {
    throw UserError(run.string(), "checkpoint", "is no run folder of pretrain or finetune: its config.yaml has no {}",
                    group);
  }
  return config::read<Options>({.command = "evaluate", .tree = *options});
}

std::vector<std::string> read_class_names(const fs::path& run) {
  const fs::path file = run / kClassesFile;
  if (!fs::exists(file)) {
    throw UserError(run.string(), "checkpoint", "is no run folder of finetune task=classification: it has no {}",
                    kClassesFile);
  }
  try {
    return nlohmann::json::parse(read_file(file)).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError(file.string(), "", "is no list of class names: {}", error.what());
  }
}

}  // namespace

ModelOptions model_of_run(const fs::path& run) { return options_of_run<ModelOptions>(run, "model"); }

weights::TensorMap backbone_weights(const fs::path& checkpoint) {
  constexpr std::string_view kPrefix = "backbone.";
  weights::TensorMap backbone;
  for (const auto& [name, tensor] : training::load_checkpoint_model(checkpoint)) {
    if (name.starts_with(kPrefix)) backbone[name.substr(kPrefix.size())] = tensor;
  }
  return backbone;
}

void write_class_names(const fs::path& run, const std::vector<std::string>& names) {
  if (fs::exists(run / kClassesFile) && read_class_names(run) != names)
    throw UserError((run / kClassesFile).string(), "data.root", "its classes are no longer those of this run");
  write_file(run / kClassesFile, nlohmann::json(names).dump(2) + "\n");
}

Classifier load_classifier(const fs::path& run, at::Device device) {
  const ModelOptions backbone = model_of_run(run);
  Classifier classifier{nullptr, read_class_names(run)};
  const fs::path checkpoint = training::require_checkpoint(run, "checkpoint");
  classifier.model = std::make_shared<objectives::Classification>(
      make_model(backbone, 0), static_cast<int64_t>(classifier.class_names.size()),
      options_of_run<objectives::ClassificationOptions>(run, "objective"), 0);
  weights::require_complete(
      weights::load_into(weights::module_state(*classifier.model), training::load_checkpoint_model(checkpoint)),
      checkpoint.string());
  classifier.model->to(device);
  classifier.model->eval();
  return classifier;
}

}  // namespace freeatm::commands
