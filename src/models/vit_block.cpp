// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/vit_block.h"

#include <memory>

#include <ATen/ATen.h>

#include "linear.h"

namespace freeatm::models {
namespace {

using at::Tensor;

// x + scales * branch. The branch is a linear layer's fresh result, which no backward pass needs.
Tensor add_branch(const Tensor& x, Tensor branch, const Tensor& scales, int64_t column) {
  if (scales.defined()) branch = branch * scales.select(1, column).to(branch.scalar_type()).view({-1, 1, 1});
  return branch.scalar_type() == x.scalar_type() ? branch.add_(x) : x + branch;  // under autocast x stays wide
}

}  // namespace

torch::nn::LayerNorm vit_norm(int64_t dim) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}).eps(1e-6));
}

ViTBlock::ViTBlock(int64_t dim, int64_t heads, int64_t hidden) : heads_(heads) {
  norm1_ = register_module("norm1", vit_norm(dim));
  const auto attn = register_module("attn", std::make_shared<torch::nn::Module>());
  qkv_ = attn->register_module("qkv", torch::nn::Linear(dim, 3 * dim));
  proj_ = attn->register_module("proj", torch::nn::Linear(dim, dim));
  norm2_ = register_module("norm2", vit_norm(dim));
  const auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>());
  fc1_ = mlp->register_module("fc1", torch::nn::Linear(dim, hidden));
  fc2_ = mlp->register_module("fc2", torch::nn::Linear(hidden, dim));
}

Tensor ViTBlock::forward(const Tensor& x, const Tensor& scales) {
  const Tensor attended = add_branch(x, attention(norm1_(x)), scales, 0);
  return add_branch(attended, mlp(norm2_(attended)), scales, 1);
}

Tensor ViTBlock::attention(const Tensor& x) {
  // One unbind, where the three lie in memory: its backward is one stack, in the layout that the product before wants.
  const auto qkv = fused_linear(*qkv_, x).unflatten(-1, {3, heads_, -1}).unbind(2);  // [B, N, heads, dim / heads] each
  const Tensor out = at::scaled_dot_product_attention(qkv[0].transpose(1, 2), qkv[1].transpose(1, 2),
                                                      qkv[2].transpose(1, 2));  // [B, heads, N, dim / heads]
  return fused_linear(*proj_, out.transpose(1, 2).flatten(2));
}

Tensor ViTBlock::mlp(const Tensor& x) { return fused_linear(*fc2_, at::gelu(fused_linear(*fc1_, x))); }

}  // namespace freeatm::models
