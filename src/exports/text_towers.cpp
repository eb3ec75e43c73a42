// SPDX-License-Identifier: Apache-2.0
// The texts' side of a vision-language model, or both sides of a CLIP, as folders of transformers with their tokenizer.
#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/models/clip.h"
#include "freeatm/text/tokenizer.h"

#include "python_text.h"
#include "transformers.h"

namespace freeatm::exports {
namespace {

using Json = nlohmann::ordered_json;
using objectives::TrainedPair;
using weights::TensorMap;

constexpr std::string_view kTextEncoder = "text_encoder.", kBackbone = "backbone.";

void add_text_lines(const std::string& name, const fs::path& path, Exported& out) {
  const std::string folder = python_text(path);
  out.build = {format("from transformers import AutoTokenizer, {}", name)};
  out.open = {format("model = {}.from_pretrained({})", name, folder),
              format("tokenizer = AutoTokenizer.from_pretrained({})", folder)};
}

/// Number of the layer in "encoder.layer.3.output.dense.bias"; -1: none.
int64_t layer_of(const std::string& name) {
  constexpr std::string_view kLayer = "encoder.layer.";
  return name.starts_with(kLayer) ? std::stoll(name.substr(kLayer.size())) : -1;
}

/// The layers that see the text alone: transformers' BertModel looks at a picture in all of its layers or in none.
Exported bert_to_huggingface(const TrainedPair& pair, const fs::path& path) {
  const models::TextEncoderOptions& text = pair.options.text;
  const int64_t layers = text.depth - text.fusion_layers;
  Exported out = transformers_folder("BertModel", {{"architectures", {"BertModel"}},
                                                   {"model_type", "bert"},
                                                   {"vocab_size", pair.id_count},
                                                   {"hidden_size", text.dim},
                                                   {"num_hidden_layers", layers},
                                                   {"num_attention_heads", text.heads},
                                                   {"intermediate_size", text.mlp_dim},
                                                   {"hidden_act", "gelu"},
                                                   {"max_position_embeddings", text.max_length},
                                                   {"type_vocab_size", 2},
                                                   {"layer_norm_eps", 1e-12},
                                                   {"hidden_dropout_prob", 0.0},
                                                   {"attention_probs_dropout_prob", 0.0},
                                                   {"pad_token_id", pair.tokenizer->pad_id()}});
  for (const auto& [name, tensor] : plain_tensors(pair.tensors)) {
    if (!name.starts_with(kTextEncoder)) continue;
    const std::string own = name.substr(kTextEncoder.size());
    if (layer_of(own) < layers) out.tensors[own] = tensor;
  }
  // BertModel has a pooler, this encoder none: one that gives tanh of the first token.
  out.tensors["pooler.dense.weight"] = at::eye(text.dim);
  out.tensors["pooler.dense.bias"] = at::zeros({text.dim});
  add_text_lines("BertModel", path, out);
  return out;
}

models::ClipConfig clip_config_of(const TrainedPair& pair) {
  const models::TextEncoderOptions& text = pair.options.text;
  models::ClipConfig out;
  out.text = {.vocab_size = pair.id_count,
              .hidden_size = text.dim,
              .intermediate_size = text.mlp_dim,
              .num_hidden_layers = text.depth,
              .num_attention_heads = text.heads,
              .max_position_embeddings = text.max_length,
              .hidden_act = text.activation,
              .layer_norm_eps = text.layer_norm_eps};
  out.eos_token_id = pair.tokenizer->eos_id();
  out.projection_dim = pair.options.dimensions;
  out.logit_scale_init_value = -std::log(pair.options.temperature);
  return out;
}

void add_ids(const text::Tokenizer& tokenizer, Json& text_config) {
  text_config["bos_token_id"] = tokenizer.bos_id();
  text_config["eos_token_id"] = tokenizer.eos_id();
  text_config["pad_token_id"] = tokenizer.pad_id();
}

Exported clip_text_to_huggingface(const TrainedPair& pair, const fs::path& path) {
  constexpr const char* kName = "CLIPTextModelWithProjection";
  Json config = Json::parse(clip_config_of(pair).json()).at("text_config");
  add_ids(*pair.tokenizer, config);
  config["architectures"] = {kName};
  Exported out = transformers_folder(kName, config);
  for (const auto& [name, tensor] : plain_tensors(pair.tensors)) {
    if (name.starts_with("text_model.") || name.starts_with("text_projection.")) out.tensors[name] = tensor;
  }
  add_text_lines(kName, path, out);
  return out;
}

}  // namespace

bool is_clip(const TrainedPair& pair) { return pair.backbone.name() == "clip_vit" && pair.options.text.name == "clip"; }

Exported text_to_huggingface(const TrainedPair& pair, const fs::path& path) {
  Exported out =
      pair.options.text.name == "clip" ? clip_text_to_huggingface(pair, path) : bert_to_huggingface(pair, path);
  out.tokenizer = pair.tokenizer_path;
  return out;
}

Exported pair_to_huggingface(const TrainedPair& pair, const fs::path& path) {
  if (!is_clip(pair))
    throw UserError(pair.where, "part",
                    "transformers has no model of a {} and a {} with these heads: part=backbone and "
                    "part=text take the two",
                    pair.backbone.name(), pair.options.text.name);
  models::ClipConfig config = clip_config_of(pair);
  config.vision = clip_vision_options(pair.backbone);
  Json root = Json::parse(config.json());
  add_ids(*pair.tokenizer, root["text_config"]);
  Exported out = transformers_folder("CLIPModel", root);
  for (const auto& [name, tensor] : plain_tensors(pair.tensors))
    out.tensors[name.starts_with(kBackbone) ? "vision_model." + name.substr(kBackbone.size()) : name] = tensor;
  out.tokenizer = pair.tokenizer_path;
  add_preprocessor(out, clip_pictures({.size = pair.image_size, .is_squeezed = pair.crop == "whole"}));
  const std::string folder = python_text(path);
  out.build = {"from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel"};
  out.open = {format("model = CLIPModel.from_pretrained({})", folder),
              format("processor = AutoImageProcessor.from_pretrained({})", folder),
              format("tokenizer = AutoTokenizer.from_pretrained({})", folder)};
  return out;
}

}  // namespace freeatm::exports
