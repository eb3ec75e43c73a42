// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

namespace freeatm::models {

/// LayerNorm over the last dimension, with the epsilon of ViTs.
torch::nn::LayerNorm vit_norm(int64_t dim);

/// Patches that lie row by row.
struct PatchGrid {
  int64_t height = 0, width = 0;
};

/// What ViTDet (Li et al. 2022) adds to attention: where a token looks, and what it knows of the way there.
struct SpatialAttention {
  int64_t window = 0;         // side of the windows that tokens look at, patches; 0: at all
  int64_t relative_side = 0;  // of the grid that relative positions are learnt for; 0: there are none
};

/// Self-attention and an MLP with GELU, each behind its LayerNorm, each added to what it was made from. Names as timm's
/// `Block`: norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2. With windows and relative positions ("attn.rel_pos_h",
/// "attn.rel_pos_w", [2 side - 1, dim / heads], first 0) it equals transformers' `VitDetLayer`: windows do not overlap,
/// and the grid is filled up to whole ones with zeros, right and below, behind norm1. Nothing hides these: they are
/// looked at.
class ViTBlock : public torch::nn::Module {
 public:
  ViTBlock(int64_t dim, int64_t heads, int64_t hidden, const SpatialAttention& spatial = {});

  /// x: [B, N, dim]; scales: [B, 2], what the two branches are multiplied by, or `{}`; grid: of the N tokens, which
  /// spatial attention must know
  at::Tensor forward(const at::Tensor& x, const at::Tensor& scales, const PatchGrid& grid = {});

 private:
  at::Tensor attention(const at::Tensor& x, const PatchGrid& grid);
  at::Tensor attended(const at::Tensor& x, const PatchGrid& grid);
  at::Tensor related(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const PatchGrid& grid);
  at::Tensor mlp(const at::Tensor& x);

  int64_t heads_, window_;
  at::Tensor rel_pos_h_, rel_pos_w_;
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  torch::nn::Linear qkv_{nullptr}, proj_{nullptr}, fc1_{nullptr}, fc2_{nullptr};
};

/// Relative positions of one side for grids of another, linearly, as transformers resizes them.
///   relative: [2 * side - 1, channels]. Returns [2 * wanted_side - 1, channels].
at::Tensor resized_relative_positions(const at::Tensor& relative, int64_t wanted_side);

}  // namespace freeatm::models
