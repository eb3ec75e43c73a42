// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/clip.h"

#include <cmath>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/models/initialize.h"
#include "freeatm/models/model_config.h"
#include "freeatm/models/unit.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/name_map.h"
#include "freeatm/weights/weight_files.h"

#include "clip_layer.h"

namespace freeatm::models {
namespace {

using at::Tensor;
using nlohmann::json;

constexpr int64_t kLargestId = 2;  // as eos_token_id

// What transformers 4 wrote into every config: about generation, labels and the like.
void pass_over_generation(ModelConfig& file) {
  file.pass_over({"_name_or_path", "architectures", "model_type", "dtype", "torch_dtype", "transformers_version"});
  file.pass_over({"attention_dropout", "dropout", "initializer_factor", "initializer_range", "gradient_checkpointing"});
  file.pass_over({"output_attentions", "output_hidden_states", "return_dict", "use_cache", "tie_word_embeddings"});
  file.pass_over({"bad_words_ids", "begin_suppress_tokens", "chunk_size_feed_forward", "cross_attention_hidden_size"});
  file.pass_over({"decoder_start_token_id", "diversity_penalty", "do_sample", "early_stopping", "finetuning_task"});
  file.pass_over({"encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "forced_bos_token_id"});
  file.pass_over({"forced_eos_token_id", "id2label", "label2id", "is_encoder_decoder", "length_penalty", "max_length"});
  file.pass_over({"min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences"});
  file.pass_over({"output_scores", "prefix", "problem_type", "pruned_heads", "remove_invalid_values"});
  file.pass_over({"repetition_penalty", "return_dict_in_generate", "sep_token_id", "suppress_tokens"});
  file.pass_over({"task_specific_params", "temperature", "tf_legacy_loss", "tie_encoder_decoder", "tokenizer_class"});
  file.pass_over({"top_k", "top_p", "torchscript", "typical_p", "use_bfloat16", "projection_dim", "bos_token_id"});
  file.pass_over({"eos_token_id", "pad_token_id"});
}

// A tower's part. Old files say it twice: there "vision_config_dict" wins as a whole.
ModelConfig tower_config(const std::string& path, const json& root, const std::string& key) {
  for (const std::string& name : {key + "_dict", key}) {
    const auto found = root.find(name);
    if (found != root.end() && !found->is_null()) return {format("{}: {}", path, name), *found};
  }
  return {format("{}: {}", path, key), json::object()};
}

ClipVisionOptions read_vision(ModelConfig& file) {
  ClipVisionOptions out;
  out.dim = file.positive("hidden_size", out.dim);
  out.mlp_dim = file.positive("intermediate_size", out.mlp_dim);
  out.depth = file.positive("num_hidden_layers", out.depth);
  out.heads = file.positive("num_attention_heads", out.heads);
  out.image_size = file.positive("image_size", out.image_size);
  out.patch_size = file.positive("patch_size", 32);
  out.activation = file.text("hidden_act", out.activation);
  out.layer_norm_eps = file.number("layer_norm_eps", out.layer_norm_eps);
  file.fixed("num_channels", 3);
  if (out.activation != "quick_gelu" && out.activation != "gelu")
    throw UserError(file.path(), "hidden_act", "'{}' is not quick_gelu or gelu", out.activation);
  if (out.dim % out.heads != 0)
    throw UserError(file.path(), "num_attention_heads", "{} does not divide hidden_size {}", out.heads, out.dim);
  if (out.image_size < out.patch_size)
    throw UserError(file.path(), "image_size", "{} has no room for a patch of {}", out.image_size, out.patch_size);
  file.fixed("add_cross_attention", false);
  file.fixed("is_decoder", false);
  pass_over_generation(file);
  file.finish();
  return out;
}

double least_numbers(const ClipVisionOptions& o) {
  const auto dim = static_cast<double>(o.dim), patch = static_cast<double>(o.patch_size);
  const double side = std::floor(static_cast<double>(o.image_size) / patch);
  const double layer = 4 * dim + 2 * static_cast<double>(o.mlp_dim);
  return dim * (side * side + 3 * patch * patch + static_cast<double>(o.depth) * layer);
}

torch::nn::Linear projection(int64_t in, int64_t out) {
  return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false));
}

}  // namespace

ClipConfig ClipConfig::read(const std::string& path) {
  const nlohmann::json root = read_json(path);
  ModelConfig file(path, root);
  ClipConfig out;
  out.projection_dim = file.positive("projection_dim", out.projection_dim);
  out.logit_scale_init_value = file.number("logit_scale_init_value", out.logit_scale_init_value);
  file.pass_over({"text_config", "text_config_dict", "vision_config", "vision_config_dict"});
  pass_over_generation(file);
  file.finish();
  ModelConfig text = tower_config(path, root, "text_config"), vision = tower_config(path, root, "vision_config");
  out.text = ClipTextConfig::read_part(text);
  out.eos_token_id = text.integer("eos_token_id", out.eos_token_id);
  pass_over_generation(text);
  text.finish();
  out.vision = read_vision(vision);
  return out;
}

std::string ClipConfig::json() const {
  const nlohmann::json vision_part{{"model_type", "clip_vision_model"},       {"hidden_size", vision.dim},
                                   {"intermediate_size", vision.mlp_dim},     {"num_hidden_layers", vision.depth},
                                   {"num_attention_heads", vision.heads},     {"image_size", vision.image_size},
                                   {"patch_size", vision.patch_size},         {"hidden_act", vision.activation},
                                   {"layer_norm_eps", vision.layer_norm_eps}, {"projection_dim", projection_dim}};
  const nlohmann::json text_part{{"model_type", "clip_text_model"},
                                 {"vocab_size", text.vocab_size},
                                 {"hidden_size", text.hidden_size},
                                 {"intermediate_size", text.intermediate_size},
                                 {"num_hidden_layers", text.num_hidden_layers},
                                 {"num_attention_heads", text.num_attention_heads},
                                 {"max_position_embeddings", text.max_position_embeddings},
                                 {"hidden_act", text.hidden_act},
                                 {"layer_norm_eps", text.layer_norm_eps},
                                 {"eos_token_id", eos_token_id},
                                 {"projection_dim", projection_dim}};
  const nlohmann::json root{{"model_type", "clip"},
                            {"architectures", {"CLIPModel"}},
                            {"projection_dim", projection_dim},
                            {"logit_scale_init_value", logit_scale_init_value},
                            {"vision_config", vision_part},
                            {"text_config", text_part}};
  return root.dump(2) + "\n";
}

ClipImpl::ClipImpl(const ClipConfig& config) : config_(config) {
  vision_ = register_module("vision_model", std::make_shared<ClipVision>(config.vision));
  text_ = register_module("text_model", ClipTextModel(config.text));
  visual_projection_ = register_module("visual_projection", projection(config.vision.dim, config.projection_dim));
  text_projection_ = register_module("text_projection", projection(config.text.hidden_size, config.projection_dim));
  logit_scale_ = register_parameter("logit_scale", at::full({}, config.logit_scale_init_value, at::kFloat));
}

Tensor ClipImpl::image_features(const Tensor& pixels) {
  return unit(visual_projection_(vision_->normed(vision_->tokens(pixels).select(1, 0))));
}

Tensor ClipImpl::text_features(const Tensor& ids) {
  const Tensor hidden = text_(ids);
  const Tensor end = config_.eos_token_id == kLargestId ? ids.argmax(1)  // the first of the largest, of the end tokens
                                                        : (ids == config_.eos_token_id).to(at::kInt).argmax(1);
  const Tensor rows = at::arange(ids.size(0), end.options());
  return unit(text_projection_(hidden.index({rows, end})));
}

Tensor ClipImpl::logits(const Tensor& image_features, const Tensor& text_features) const {
  return scale() * image_features.mm(text_features.t());
}

void ClipImpl::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  vision_->initialize(seed);
  const RandomStream random = RandomStream(seed, "weights").fork("text_model");
  text_->initialize(random);
  for (auto& [layer, name] :
       {std::pair(visual_projection_, "visual_projection"), {text_projection_, "text_projection"}})
    fill_normal(layer->weight, 1 / std::sqrt(static_cast<double>(layer->weight.size(1))), random.fork(name));
  logit_scale_.fill_(config_.logit_scale_init_value);
}

Clip load_clip(const std::string& folder, at::Device device, at::ScalarType dtype) {
  const fs::path root(folder);
  const ClipConfig config = ClipConfig::read((root / "config.json").string());
  const weights::NameMap names{{}, {"embeddings\\.position_ids$"}};
  const auto files = weights::find_weights(root, weights::kTransformersWeights);
  const weights::TensorMap source = names.apply(weights::load_weights(files), files.path);
  weights::require_numbers(source, least_numbers(config.vision) + config.text.least_numbers(), files.path);
  Clip model = weights::adopted(source, files.path, [&] { return Clip(config); });
  place(*model, device, dtype, Use::kTrain);
  return model;
}

void save_clip(const ClipImpl& model, const std::string& folder) {
  const fs::path root(folder);
  weights::save_safetensors((root / "model.safetensors").string(), weights::module_state(model), {{"format", "pt"}});
  write_file(root / "config.json", model.config().json());
}

}  // namespace freeatm::models
