// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

namespace freeatm::models {

/// LayerNorm over the last dimension, with the epsilon of ViTs.
torch::nn::LayerNorm vit_norm(int64_t dim);

/// Self-attention and an MLP with GELU, each behind its LayerNorm, each added to what it was made from. Names as timm's
/// `Block`: norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2.
class ViTBlock : public torch::nn::Module {
 public:
  ViTBlock(int64_t dim, int64_t heads, int64_t hidden);

  /// x: [B, N, dim]; scales: [B, 2], what the two branches are multiplied by, or `{}`
  at::Tensor forward(const at::Tensor& x, const at::Tensor& scales);

 private:
  at::Tensor attention(const at::Tensor& x);
  at::Tensor mlp(const at::Tensor& x);

  int64_t heads_;
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  torch::nn::Linear qkv_{nullptr}, proj_{nullptr}, fc1_{nullptr}, fc2_{nullptr};
};

}  // namespace freeatm::models
