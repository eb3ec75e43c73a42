// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/vision_language/trained.h"

#include <utility>

#include "freeatm/config/named_options.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/shipped.h"
#include "freeatm/models/clip.h"
#include "freeatm/objectives/trained_models.h"
#include "freeatm/objectives/vision_language/vision_language.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/weights/load.h"

namespace freeatm::objectives {
namespace {

/// What the run was trained with, by its config.yaml.
VisionLanguageOptions options_of(const fs::path& run) {
  const config::Node saved = runs::run_config(run, "checkpoint");
  const config::Node* objective = saved.find("objective");
  const config::Node* name = objective != nullptr && objective->is_map() ? objective->find("name") : nullptr;
  const std::string method = name == nullptr ? "no pretraining" : name->text();
  if (method != "vision_language")
    throw UserError(run.string(), "checkpoint", "is a run of {}, which knows no texts: objective=vision_language",
                    method);
  return config::read<config::NamedOptions<VisionLanguageOptions>>({.command = "evaluate", .tree = *objective}).options;
}

// A CLIPModel's names -> ours.
weights::TensorMap clip_tensors(const weights::TensorMap& file) {
  constexpr std::string_view kVision = "vision_model.";
  weights::TensorMap out;
  for (const auto& [name, tensor] : file) {
    if (name.ends_with("position_ids")) continue;  // 0, 1, 2, ..., of older files
    out[name.starts_with(kVision) ? "backbone." + name.substr(kVision.size()) : name] = tensor;
  }
  return out;
}

// The tokenizer may have changed since.
void require_vocabulary(const Pretrained& start, const std::string& tokenizer, int64_t id_count) {
  for (const char* name :
       {"text_encoder.embeddings.word_embeddings.weight", "text_model.embeddings.token_embedding.weight"}) {
    const auto words = start.tensors.find(name);
    if (words != start.tensors.end() && words->second.size(0) != id_count) {
      throw UserError(start.where, "objective.text.tokenizer", "{} has {} ids, and the weights are of {}", tokenizer,
                      id_count, words->second.size(0));
    }
  }
}

}  // namespace

models::VisionLanguageModel TrainedPair::random(uint64_t seed) const {
  models::VisionLanguageModel model(backbone.make(seed), options, id_count);
  model->initialize(seed);
  return model;
}

models::VisionLanguageModel TrainedPair::load() const {
  models::VisionLanguageModel model = random(0);
  weights::require_complete(weights::load_into(weights::module_state(*model), tensors), where);
  return model;
}

TrainedPair open_vision_language(const std::string& checkpoint) {
  Pretrained start = open_pretrained(checkpoint, models::ModelOptions());
  TrainedPair out{.backbone = start.model, .where = start.where};
  if (!start.is_run()) {
    const fs::path file = fs::path(checkpoint) / "config.json";
    if (start.model.name() != "clip_vit" || !fs::exists(file)) {
      throw UserError(
          checkpoint, "checkpoint",
          "is neither a run of objective=vision_language nor a folder of CLIPModel: there is no text encoder");
    }
    const models::ClipConfig config = models::ClipConfig::read(file.string());
    out.options = models::VisionLanguageModelOptions::of(config);
    out.tokenizer_path = checkpoint;
    out.tokenizer = text::open_tokenizer(checkpoint);
    out.id_count = config.text.vocab_size;
    if (out.tokenizer->vocab_size() > out.id_count) {
      throw UserError(file.string(), "text_config.vocab_size", "is {}; the tokenizer beside it has {} ids",
                      out.id_count, out.tokenizer->vocab_size());
    }
    out.tensors = clip_tensors(start.tensors);
    out.image_size = config.vision.image_size;
    out.crop = "centre";
    return out;
  }
  const VisionLanguageOptions options = options_of(start.run);
  out.options = options.model();
  out.tokenizer_path = find_shipped(options.text.tokenizer);
  out.tokenizer = text::open_tokenizer(out.tokenizer_path);
  out.image_size = options.augment.size;
  out.id_count = ids_known(options.text.encoder, *out.tokenizer);
  require_vocabulary(start, options.text.tokenizer, out.id_count);
  for (auto& [name, tensor] : start.tensors) {
    if (!name.starts_with("momentum_") && !name.ends_with("_queue")) out.tensors[name] = tensor;
  }
  return out;
}

}  // namespace freeatm::objectives
