// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

namespace freeatm::models {

/// LayerNorm over the last dimension, with BERT's epsilon.
torch::nn::LayerNorm bert_norm(int64_t dim);

/// norm(x + dense(attention of x to `seen`)). Names: self.query, self.key, self.value, output.dense, output.LayerNorm.
class BertAttention : public torch::nn::Module {
 public:
  ///   dim: of x and of the result; seen_dim: of what it looks at
  BertAttention(int64_t dim, int64_t seen_dim, int64_t heads);

  ///   x: [B, N, dim]; seen: [B, M, seen_dim]; mask: bool, broadcast to [B, heads, N, M], or undefined
  ///   rows: [B], which of `seen` each row of x looks at, where there are fewer or in another order; undefined: its own
  ///   probabilities: where they are to go, [B, heads, N, M], or null: fused attention, which has none
  at::Tensor forward(const at::Tensor& x, const at::Tensor& seen, const at::Tensor& mask, const at::Tensor& rows = {},
                     at::Tensor* probabilities = nullptr);

 private:
  at::Tensor split(const at::Tensor& x) const;  // [B, N, dim] -> [B, heads, N, dim / heads]

  int64_t heads_;
  torch::nn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, dense_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

/// What a layer sees beside its own text.
struct BertPicture {
  at::Tensor tokens;  // [B, M, image_dim], or of fewer pictures
  at::Tensor rows;    // and these, as BertAttention has them
  at::Tensor* probabilities = nullptr;
};

/// Names: attention, crossattention (of a fusion layer), intermediate.dense, output.dense, output.LayerNorm.
class BertLayer : public torch::nn::Module {
 public:
  ///   image_dim: of what a fusion layer looks at; 0: it is a text layer
  BertLayer(int64_t dim, int64_t heads, int64_t mlp_dim, int64_t image_dim);

  ///   x: [B, N, dim]; mask: of the text; picture: of a fusion layer
  ///   first_alone: the first token's result is wanted, [B, 1, dim]
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask, const BertPicture& picture = {},
                     bool first_alone = false);

 private:
  std::shared_ptr<BertAttention> attention_, crossattention_;
  torch::nn::Linear intermediate_{nullptr}, dense_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace freeatm::models
