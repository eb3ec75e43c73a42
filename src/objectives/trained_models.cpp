// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/trained_models.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/model_path.h"
#include "freeatm/models/pretrained.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/weight_files.h"

#include "model_folder.h"

namespace freeatm::objectives {
namespace {

constexpr const char* kClassesFile = "classes.json";

/// The model's options as the run's config.yaml has them; that file holds other keys too, which are not ours.
models::ModelOptions model_of_run(const fs::path& run) {
  return runs::options_of_run<models::ModelOptions>(run, "model");
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

constexpr const char* kBackbone = "backbone.";

// Of a checkpoint of ours heads and momentum encoder stay behind, which is nothing to be told.
std::shared_ptr<models::Backbone> make_backbone(const Pretrained& start, uint64_t seed,
                                                std::vector<std::string>& left_out) {
  auto backbone = start.model.make(seed);
  weights::TensorMap encoder = start.tensors;
  if (start.is_run()) std::erase_if(encoder, [](const auto& item) { return !item.first.starts_with(kBackbone); });
  left_out = models::load_pretrained(*backbone, encoder, start.where, "checkpoint");
  return backbone;
}

std::string_view first_name(std::string_view name) { return name.substr(0, name.find('.')); }

// "decoder_blocks", of "decoder_blocks.0.norm1.weight" and many others
std::vector<std::string> first_names(const weights::TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    if (std::ranges::find(names, first_name(name)) == names.end()) names.emplace_back(first_name(name));
  }
  return names;
}

// What the file has of the parts beside the backbone, more of them too; positions for the objective's grid.
weights::TensorMap parts_in(const weights::TensorMap& file, const weights::TensorMap& parts, int64_t prefix) {
  const std::vector<std::string> names = first_names(parts);
  weights::TensorMap found;
  for (const auto& [name, tensor] : file) {
    std::string own = models::unwrapped(name);
    for (const std::string_view before : {"module.", "model."}) {
      if (own.starts_with(before)) own.erase(0, before.size());
    }
    const bool is_known = std::ranges::find(names, first_name(own)) != names.end();
    if (!is_known || own.ends_with("position_ids")) continue;  // 0, 1, 2, ..., of transformers' older files
    const auto part = parts.find(own);
    const bool is_positions = part != parts.end() && own.ends_with("pos_embed");
    found[own] = is_positions ? models::fitted_positions(tensor, part->second, prefix, own) : tensor;
  }
  return found;
}

}  // namespace

std::vector<std::string> read_class_names(const fs::path& run) {
  const fs::path file = run / kClassesFile;
  if (!fs::exists(file)) {
    throw UserError(run.string(), "checkpoint", "is no run folder of finetune: it has no {}", kClassesFile);
  }
  try {
    return nlohmann::json::parse(read_file(file)).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError(file.string(), "", "is no list of class names: {}", error.what());
  }
}

std::shared_ptr<models::Backbone> Pretrained::load(uint64_t seed) const {
  std::vector<std::string> left_out;
  auto backbone = make_backbone(*this, seed, left_out);
  if (!left_out.empty()) log::info("{}: not of the backbone, left out: {}", where, models::listed(left_out, ", "));
  return backbone;
}

std::shared_ptr<training::Objective> start_from(const Pretrained& start, const Recipe& recipe, uint64_t seed) {
  std::vector<std::string> left_out;
  auto objective = recipe.make([&] { return make_backbone(start, seed, left_out); }, seed);
  weights::TensorMap parts = weights::module_state(*objective);
  const int64_t prefix = parts.contains(std::string(kBackbone) + "cls_token") ? 1 : 0;
  std::erase_if(parts, [](const auto& item) { return item.first.starts_with(kBackbone); });
  const weights::TensorMap found = parts_in(start.tensors, parts, prefix);
  const std::vector<std::string> wrong = models::mismatches(parts, found);
  const std::string names = models::listed(first_names(parts), ", ");
  if (found.empty()) {
    log::info("{}: the backbone is taken from it; what else there is starts anew: {}", start.where, names);
  } else if (wrong.empty()) {
    weights::load_into(parts, found);
    weights::require_finite(parts, start.where, "checkpoint");
    log::info("{}: the backbone and {} are taken from it", start.where, names);
  } else {
    log::warning("{}: the backbone alone is taken from it, the other parts do not fit and start anew: {}", start.where,
                 models::listed(wrong, "; "));
  }
  return objective;
}

void WeightsOptions::fields(config::Fields& f) {
  f("entry", entry,
    "of a file of weights: the entry, or what the names of the wanted tensors begin with; null: told by names");
}

Pretrained open_pretrained(const std::string& checkpoint, const models::ModelOptions& model,
                           const WeightsOptions& weights) {
  const std::string entry = weights.entry.value_or("");
  fs::path path = checkpoint;
  if (!path.has_filename()) path = path.parent_path();  // behind a slash
  require_model(path, "checkpoint");
  if (!fs::is_directory(path)) return {model, weights::load_weight_file(checkpoint, entry), checkpoint};
  if (!entry.empty() && fs::exists(path / "config.yaml"))
    throw UserError(checkpoint, "weights.entry", "'{}' is for files of weights; this is a run folder", entry);
  const fs::path run_of_step = path.parent_path().parent_path();  // RUN/checkpoints/step_N
  if (fs::exists(path / "manifest.json") && fs::exists(run_of_step / "config.yaml"))
    return {model_of_run(run_of_step), training::load_checkpoint_model(path), checkpoint, run_of_step};
  if (fs::exists(path / "config.yaml")) {
    training::FoundCheckpoint newest = training::require_checkpoint(path, "checkpoint");
    const std::string where = newest.folder.string();
    return {model_of_run(path), training::load_checkpoint_model(std::move(newest)), where, path};
  }
  const std::string file = weights_in(path);
  return {model_of_folder(path).value_or(model), weights::load_weight_file(file, entry), file};
}

void write_class_names(const fs::path& run, const std::vector<std::string>& names) {
  if (fs::exists(run / kClassesFile) && read_class_names(run) != names)
    throw UserError((run / kClassesFile).string(), "data.root", "its classes are no longer those of this run");
  write_file(run / kClassesFile, nlohmann::json(names).dump(2) + "\n");
}

Classifier load_classifier(const fs::path& run, at::Device device) {
  const models::ModelOptions backbone = model_of_run(run);
  Classifier classifier{nullptr, read_class_names(run)};
  training::FoundCheckpoint checkpoint = training::require_checkpoint(run, "checkpoint");
  const std::string where = checkpoint.folder.string();
  classifier.model =
      std::make_shared<Classification>(backbone.make(0), static_cast<int64_t>(classifier.class_names.size()),
                                       runs::options_of_run<ClassificationOptions>(run, "objective"), 0);
  weights::require_complete(weights::load_into(weights::module_state(*classifier.model),
                                               training::load_checkpoint_model(std::move(checkpoint))),
                            where);
  classifier.model->to(device);
  classifier.model->eval();
  return classifier;
}

}  // namespace freeatm::objectives
