// SPDX-License-Identifier: Apache-2.0
#include "bert_layer.h"

#include <cmath>

#include <ATen/ATen.h>

#include "linear.h"

namespace freeatm::models {
namespace {

using at::Tensor;

constexpr double kBertEpsilon = 1e-12;

// x + branch. The branch is a linear layer's fresh result, which no backward pass needs.
Tensor add_to_fresh(const Tensor& branch, const Tensor& x) {
  return branch.scalar_type() == x.scalar_type() ? branch.add_(x) : x + branch;  // under autocast x stays wide
}

// [B, heads, N, M]
Tensor attention_probabilities(const Tensor& query, const Tensor& key, const Tensor& mask) {
  Tensor scores = at::matmul(query, key.transpose(2, 3)) / std::sqrt(static_cast<double>(query.size(3)));
  if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -INFINITY);
  return scores.softmax(3);
}

}  // namespace

torch::nn::LayerNorm bert_norm(int64_t dim) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}).eps(kBertEpsilon));
}

BertAttention::BertAttention(int64_t dim, int64_t seen_dim, int64_t heads) : heads_(heads) {
  const auto self = register_module("self", std::make_shared<torch::nn::Module>());
  query_ = self->register_module("query", torch::nn::Linear(dim, dim));
  key_ = self->register_module("key", torch::nn::Linear(seen_dim, dim));
  value_ = self->register_module("value", torch::nn::Linear(seen_dim, dim));
  const auto output = register_module("output", std::make_shared<torch::nn::Module>());
  dense_ = output->register_module("dense", torch::nn::Linear(dim, dim));
  norm_ = output->register_module("LayerNorm", bert_norm(dim));
}

Tensor BertAttention::split(const Tensor& x) const { return x.unflatten(2, {heads_, -1}).transpose(1, 2); }

Tensor BertAttention::forward(const Tensor& x, const Tensor& seen, const Tensor& mask, const Tensor& rows,
                              Tensor* probabilities) {
  const auto of_rows = [&](const Tensor& all) { return split(rows.defined() ? all.index_select(0, rows) : all); };
  const Tensor query = split(fused_linear(*query_, x)), key = of_rows(fused_linear(*key_, seen)),
               value = of_rows(fused_linear(*value_, seen));
  Tensor out;
  if (probabilities == nullptr) {
    out = at::scaled_dot_product_attention(query, key, value, mask.defined() ? std::optional(mask) : std::nullopt);
  } else {
    *probabilities = attention_probabilities(query, key, mask);
    out = at::matmul(probabilities->to(value.scalar_type()), value);
  }
  return norm_(add_to_fresh(fused_linear(*dense_, out.transpose(1, 2).flatten(2)), x));
}

BertLayer::BertLayer(int64_t dim, int64_t heads, int64_t mlp_dim, int64_t image_dim) {
  attention_ = register_module("attention", std::make_shared<BertAttention>(dim, dim, heads));
  if (image_dim > 0)
    crossattention_ = register_module("crossattention", std::make_shared<BertAttention>(dim, image_dim, heads));
  const auto intermediate = register_module("intermediate", std::make_shared<torch::nn::Module>());
  intermediate_ = intermediate->register_module("dense", torch::nn::Linear(dim, mlp_dim));
  const auto output = register_module("output", std::make_shared<torch::nn::Module>());
  dense_ = output->register_module("dense", torch::nn::Linear(mlp_dim, dim));
  norm_ = output->register_module("LayerNorm", bert_norm(dim));
}

Tensor BertLayer::forward(const Tensor& x, const Tensor& mask, const BertPicture& picture, bool first_alone) {
  Tensor hidden = attention_->forward(first_alone ? x.narrow(1, 0, 1) : x, x, mask);
  if (crossattention_)
    hidden = crossattention_->forward(hidden, picture.tokens, {}, picture.rows, picture.probabilities);
  return norm_(add_to_fresh(fused_linear(*dense_, at::gelu(fused_linear(*intermediate_, hidden))), hidden));
}

}  // namespace freeatm::models
