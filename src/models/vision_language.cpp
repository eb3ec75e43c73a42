// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/vision_language.h"

#include <cmath>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/models/initialize.h"
#include "freeatm/models/unit.h"

namespace freeatm::models {
namespace {

using at::Tensor;

torch::nn::Linear projection_to(int64_t out, int64_t in) {
  return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false));
}

BertOptions bert_options(const TextEncoderOptions& text, int64_t id_count, int64_t image_dim) {
  return {id_count, text.max_length, text.dim, text.depth, text.heads, text.mlp_dim, text.fusion_layers, image_dim};
}

ClipTextConfig clip_config(const TextEncoderOptions& text, int64_t id_count) {
  return {id_count,   text.dim,        text.mlp_dim,    text.depth,
          text.heads, text.max_length, text.activation, text.layer_norm_eps};
}

}  // namespace

void TextEncoderOptions::fields(config::Fields& f) {
  f("name", name,
    "bert: every token sees all others, and its last layers may see the picture; clip: the ones before it",
    config::any_of({"bert", "clip"}));
  f("max_length", max_length, "tokens of a text, start and end among them; longer ones are cut",
    config::between(3, 65536));
  f("dim", dim, "channels of a token", config::between(1, 8192));
  f("depth", depth, "layers", config::between(1, 128));
  f("heads", heads, "of the attention; they divide dim", config::between(1, 256));
  f("mlp_dim", mlp_dim, "width of a layer's MLP", config::between(1, 65536));
  f("fusion_layers", fusion_layers, "bert: the last so many layers look at the picture; clip has none: 0",
    config::between(0, 127));
  f("activation", activation, "clip: of its MLPs", config::any_of({"quick_gelu", "gelu"}));
  f("layer_norm_eps", layer_norm_eps, "clip: of its norms", config::more_than(0));
  if (!f.reading()) return;
  if (dim % heads != 0) f.refuse("heads", format("{} does not divide dim {}", heads, dim));
  if (name == "clip" && fusion_layers > 0) f.refuse("fusion_layers", "text.name=clip has none: 0");
  if (fusion_layers >= depth)
    f.refuse("fusion_layers", format("{} of {} layers leave none for the text alone", fusion_layers, depth));
}

VisionLanguageModelOptions VisionLanguageModelOptions::of(const ClipConfig& config) {
  const ClipTextConfig& text = config.text;
  return {.text = {.name = "clip",
                   .max_length = text.max_position_embeddings,
                   .dim = text.hidden_size,
                   .depth = text.num_hidden_layers,
                   .heads = text.num_attention_heads,
                   .mlp_dim = text.intermediate_size,
                   .fusion_layers = 0,
                   .activation = text.hidden_act,
                   .layer_norm_eps = text.layer_norm_eps},
          .dimensions = config.projection_dim,
          .temperature = std::exp(-config.logit_scale_init_value)};
}

VisionLanguageModelImpl::VisionLanguageModelImpl(std::shared_ptr<Backbone> backbone,
                                                 const VisionLanguageModelOptions& options, int64_t id_count)
    : options_(options), backbone_(std::move(backbone)) {
  const TextEncoderOptions& text = options.text;
  const int64_t channels = backbone_->channels();
  register_module("backbone", backbone_);
  if (text.name == "clip") {
    text_model_ = register_module("text_model", ClipTextModel(clip_config(text, id_count)));
  } else {
    text_encoder_ = register_module("text_encoder", Bert(bert_options(text, id_count, channels)));
  }
  if (text.fusion_layers > 0) {
    itm_head_ = register_module("itm_head", torch::nn::Linear(text.dim, 2));
    mlm_head_ = register_module("mlm_head", BertMaskedWords(text.dim, id_count));
  }
  visual_projection_ = register_module("visual_projection", projection_to(options.dimensions, channels));
  text_projection_ = register_module("text_projection", projection_to(options.dimensions, text.dim));
  logit_scale_ = register_parameter("logit_scale", at::full({}, -std::log(options.temperature), at::kFloat));
}

VisionLanguageModelImpl::Images VisionLanguageModelImpl::encode_images(const Tensor& images) {
  const Features features = backbone_->features(images);
  const Tensor tokens = at::cat({features.pooled.unsqueeze(1), features.grid.flatten(2).transpose(1, 2)}, 1);
  return {image_embedding(features.pooled), features.grid, tokens};
}

VisionLanguageModelImpl::Texts VisionLanguageModelImpl::encode_texts(const Tensor& ids, const Tensor& mask) {
  if (!text_model_.is_empty()) {
    const Tensor tokens = text_model_(ids), end = mask.sum(1) - 1;
    return {text_embedding(tokens.index({at::arange(ids.size(0), end.options()), end})), tokens};
  }
  const Tensor tokens = text_encoder_->encode_text(ids, mask);
  return {text_embedding(tokens.select(1, 0)), tokens};
}

Tensor VisionLanguageModelImpl::image_embedding(const Tensor& features) { return unit(visual_projection_(features)); }

Tensor VisionLanguageModelImpl::text_embedding(const Tensor& features) { return unit(text_projection_(features)); }

Tensor VisionLanguageModelImpl::fuse(const Tensor& tokens, const Tensor& mask, const FusionPictures& pictures,
                                     FusionMap* map) {
  FREEATM_CHECK(fuses(), "a model without fusion layers");
  return text_encoder_->fuse(tokens, mask, pictures, map);
}

Tensor VisionLanguageModelImpl::itm_logits(const Tensor& tokens, const Tensor& mask, const FusionPictures& pictures) {
  FREEATM_CHECK(fuses(), "a model without fusion layers");
  return itm_head_(text_encoder_->fuse_first(tokens, mask, pictures));
}

void VisionLanguageModelImpl::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream random(seed, "weights");
  if (!text_model_.is_empty()) text_model_->initialize(random.fork("text_model"));
  if (!text_encoder_.is_empty()) text_encoder_->initialize(stable_hash("text_encoder", seed));
  if (fuses()) {
    mlm_head_->initialize(stable_hash("mlm_head", seed));
    fill_normal(itm_head_->weight, 0.02, random.fork("itm_head"));
    itm_head_->bias.zero_();
  }
  for (auto& [layer, name] :
       {std::pair(visual_projection_, "visual_projection"), {text_projection_, "text_projection"}})
    fill_normal(layer->weight, 1 / std::sqrt(static_cast<double>(layer->weight.size(1))), random.fork(name));
}

void VisionLanguageModelImpl::limit_scale(double most) {
  const at::NoGradGuard no_grad;
  logit_scale_.clamp_(0, std::log(most));
}

}  // namespace freeatm::models
