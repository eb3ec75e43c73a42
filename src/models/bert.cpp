// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/bert.h"

#include <ATen/ATen.h>
#include <torch/nn/modules/container/modulelist.h>

#include "freeatm/core/error.h"
#include "freeatm/models/initialize.h"

#include "bert_layer.h"
#include "linear.h"

namespace freeatm::models {
namespace {

using at::Tensor;

constexpr int64_t kTokenTypes = 2;  // BERT's two sentences; here there is one
constexpr double kBertDeviation = 0.02;

void initialize_bert(torch::nn::Module& module, uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream random(seed, "weights");
  for (const auto& item : module.named_modules("", /*include_self=*/false)) {
    if (auto* linear = item.value()->as<torch::nn::Linear>()) {
      fill_normal(linear->weight, kBertDeviation, random.fork(item.key()));
      linear->bias.zero_();
    }
    if (auto* embedding = item.value()->as<torch::nn::Embedding>())
      fill_normal(embedding->weight, kBertDeviation, random.fork(item.key()));
    if (auto* norm = item.value()->as<torch::nn::LayerNorm>()) norm->reset_parameters();
  }
}

// [B, N] -> [B, 1, 1, N], as attention takes it.
Tensor attention_mask(const Tensor& mask, const Tensor& tokens) {
  if (!mask.defined()) return {};
  FREEATM_CHECK(mask.scalar_type() == at::kBool && mask.sizes() == tokens.sizes().slice(0, 2),
                "mask is {} {}, want bool {}", mask.scalar_type(), mask.sizes(), tokens.sizes().slice(0, 2));
  return mask.unsqueeze(1).unsqueeze(1);
}

}  // namespace

void BertOptions::fields(config::Fields& f) {
  f("vocab_size", vocab_size, "ids that the model knows", config::between(1, 1e7));
  f("max_length", max_length, "tokens that the model has positions for, [CLS] and [SEP] among them",
    config::between(3, 65536));
  f("dim", dim, "channels of a token", config::between(1, 8192));
  f("depth", depth, "layers", config::between(1, 128));
  f("heads", heads, "of the attention; they divide dim", config::between(1, 256));
  f("mlp_dim", mlp_dim, "width of a layer's MLP", config::between(1, 65536));
  f("fusion_layers", fusion_layers, "the last so many layers look at the picture, too", config::between(0, 127));
  if (!f.reading()) return;
  if (dim % heads != 0) f.refuse("heads", format("{} does not divide dim {}", heads, dim));
  if (fusion_layers >= depth)
    f.refuse("fusion_layers", format("{} of {} layers leave none for the text alone", fusion_layers, depth));
}

struct BertEmbeddings : torch::nn::Module {
  explicit BertEmbeddings(const BertOptions& o)
      : words(register_module("word_embeddings", torch::nn::Embedding(o.vocab_size, o.dim))),
        positions(register_module("position_embeddings", torch::nn::Embedding(o.max_length, o.dim))),
        types(register_module("token_type_embeddings", torch::nn::Embedding(kTokenTypes, o.dim))),
        norm(register_module("LayerNorm", bert_norm(o.dim))) {}

  // [B, N] -> [B, N, dim]
  Tensor forward(const Tensor& ids) {
    const Tensor place = positions->weight.narrow(0, 0, ids.size(1)) + types->weight[0];
    return norm(words(ids) + place);
  }

  torch::nn::Embedding words, positions, types;
  torch::nn::LayerNorm norm;
};

BertImpl::BertImpl(const BertOptions& options) : options_(options) {
  embeddings_ = register_module("embeddings", std::make_shared<BertEmbeddings>(options));
  const auto encoder = register_module("encoder", std::make_shared<torch::nn::Module>());
  const auto list = encoder->register_module("layer", torch::nn::ModuleList());
  for (int64_t i = 0; i < options.depth; ++i) {
    const int64_t image_dim = i < text_layers() ? 0 : options.image_dim;
    layers_.push_back(std::make_shared<BertLayer>(options.dim, options.heads, options.mlp_dim, image_dim));
    list->push_back(layers_.back());
  }
}

Tensor BertImpl::encode_text(const Tensor& ids, const Tensor& mask) {
  FREEATM_CHECK(ids.dim() == 2 && ids.size(1) <= options_.max_length, "ids are {}, want [B, at most {}]", ids.sizes(),
                options_.max_length);
  Tensor tokens = embeddings_->forward(ids);
  const Tensor seen = attention_mask(mask, tokens);
  for (int64_t i = 0; i < text_layers(); ++i) tokens = layers_[i]->forward(tokens, seen);
  return tokens;
}

Tensor BertImpl::run_fusion(const Tensor& tokens, const Tensor& mask, const FusionPictures& pictures, FusionMap* map,
                            bool first_alone) {
  FREEATM_CHECK(options_.fusion_layers > 0, "a text encoder alone has no fusion layers");
  FREEATM_CHECK(map == nullptr || (map->layer >= 0 && map->layer < options_.fusion_layers), "no fusion layer {} of {}",
                map->layer, options_.fusion_layers);
  Tensor hidden = tokens;
  const Tensor seen = attention_mask(mask, tokens);
  for (int64_t i = 0; i < options_.fusion_layers; ++i) {
    Tensor* probabilities = map != nullptr && map->layer == i ? &map->probabilities : nullptr;
    const bool is_last = i + 1 == options_.fusion_layers;
    hidden = layers_[text_layers() + i]->forward(hidden, seen, {pictures.tokens, pictures.rows, probabilities},
                                                 first_alone && is_last);
  }
  return hidden;
}

Tensor BertImpl::fuse(const Tensor& tokens, const Tensor& mask, const FusionPictures& pictures, FusionMap* map) {
  return run_fusion(tokens, mask, pictures, map, /*first_alone=*/false);
}

Tensor BertImpl::fuse_first(const Tensor& tokens, const Tensor& mask, const FusionPictures& pictures) {
  return run_fusion(tokens, mask, pictures, nullptr, /*first_alone=*/true).select(1, 0);
}

void BertImpl::initialize(uint64_t seed) { initialize_bert(*this, seed); }

const Tensor& BertImpl::word_embeddings() const { return embeddings_->words->weight; }

BertMaskedWordsImpl::BertMaskedWordsImpl(int64_t dim, int64_t vocab_size) {
  const auto predictions = register_module("predictions", std::make_shared<torch::nn::Module>());
  const auto transform = predictions->register_module("transform", std::make_shared<torch::nn::Module>());
  dense_ = transform->register_module("dense", torch::nn::Linear(dim, dim));
  norm_ = transform->register_module("LayerNorm", bert_norm(dim));
  bias_ = predictions->register_parameter("bias", at::zeros({vocab_size}));
}

Tensor BertMaskedWordsImpl::forward(const Tensor& hidden, const Tensor& word_embeddings) {
  return at::linear(norm_(at::gelu(fused_linear(*dense_, hidden))), word_embeddings, bias_);
}

void BertMaskedWordsImpl::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  initialize_bert(*this, seed);
  bias_.zero_();
}

}  // namespace freeatm::models
