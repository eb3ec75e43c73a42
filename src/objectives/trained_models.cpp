// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/trained_models.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/models/pretrained.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/weight_files.h"

namespace freeatm::objectives {
namespace {

constexpr const char* kClassesFile = "classes.json";

template <class Options>
Options options_of_run(const fs::path& run, const char* group) {
  const config::Node saved = runs::run_config(run, "checkpoint");
  const config::Node* options = saved.find(group);
  if (options == nullptr || !options->is_map()) {
    throw UserError(run.string(), "checkpoint", "is no run folder of pretrain or finetune: its config.yaml has no {}",
                    group);
  }
  return config::read<Options>({.command = "evaluate", .tree = *options});
}

/// The model's options as the run's config.yaml has them; that file holds other keys too, which are not ours.
models::ModelOptions model_of_run(const fs::path& run) { return options_of_run<models::ModelOptions>(run, "model"); }

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

// The only file of weights in a folder, under one of the libraries' names or any other.
std::string weights_in(const fs::path& folder) {
  constexpr std::array kEndings = {".safetensors", ".pth", ".pt", ".bin"};
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    if (name == weights::kTransformersWeights.safetensors) return entry.path().string();
    if (std::ranges::any_of(kEndings, [&](const char* ending) { return name.ends_with(ending); }))
      found.push_back(entry.path().string());
  }
  std::ranges::sort(found);
  if (found.empty()) {
    throw UserError(folder.string(), "checkpoint", "is no run folder (it has no config.yaml) and holds no weights");
  }
  if (found.size() > 1) {
    throw UserError(folder.string(), "checkpoint", "holds {} files of weights: name one of them", found.size());
  }
  return found[0];
}

// Of a checkpoint of ours: heads and momentum encoder stay behind, which is nothing to be told.
weights::TensorMap backbone_of(const fs::path& step) {
  weights::TensorMap tensors = training::load_checkpoint_model(step);
  std::erase_if(tensors, [](const auto& item) { return !item.first.starts_with("backbone."); });
  return tensors;
}

}  // namespace

std::shared_ptr<models::Backbone> Pretrained::load(uint64_t seed) const {
  auto backbone = model.make(seed);
  models::load_pretrained(*backbone, tensors, where, "checkpoint");
  return backbone;
}

Pretrained open_pretrained(const std::string& checkpoint, const models::ModelOptions& model) {
  fs::path path = checkpoint;
  if (!path.has_filename()) path = path.parent_path();  // behind a slash
  if (!fs::exists(path)) throw UserError(checkpoint, "checkpoint", "no such file or folder");
  if (!fs::is_directory(path)) return {model, weights::load_weight_file(checkpoint), checkpoint};
  const fs::path run_of_step = path.parent_path().parent_path();  // RUN/checkpoints/step_N
  if (fs::exists(path / "manifest.json") && fs::exists(run_of_step / "config.yaml"))
    return {model_of_run(run_of_step), backbone_of(path), checkpoint};
  if (fs::exists(path / "config.yaml")) {
    const fs::path newest = training::require_checkpoint(path, "checkpoint");
    return {model_of_run(path), backbone_of(newest), newest.string()};
  }
  const std::string file = weights_in(path);
  return {model, weights::load_weight_file(file), file};
}

void write_class_names(const fs::path& run, const std::vector<std::string>& names) {
  if (fs::exists(run / kClassesFile) && read_class_names(run) != names)
    throw UserError((run / kClassesFile).string(), "data.root", "its classes are no longer those of this run");
  write_file(run / kClassesFile, nlohmann::json(names).dump(2) + "\n");
}

Classifier load_classifier(const fs::path& run, at::Device device) {
  const models::ModelOptions backbone = model_of_run(run);
  Classifier classifier{nullptr, read_class_names(run)};
  const fs::path checkpoint = training::require_checkpoint(run, "checkpoint");
  classifier.model =
      std::make_shared<Classification>(backbone.make(0), static_cast<int64_t>(classifier.class_names.size()),
                                       options_of_run<ClassificationOptions>(run, "objective"), 0);
  weights::require_complete(
      weights::load_into(weights::module_state(*classifier.model), training::load_checkpoint_model(checkpoint)),
      checkpoint.string());
  classifier.model->to(device);
  classifier.model->eval();
  return classifier;
}

}  // namespace freeatm::objectives
