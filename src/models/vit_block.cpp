// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/vit_block.h"

#include <cmath>
#include <memory>
#include <vector>

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

// [B, h * w, dim] -> [B * rows * columns, side * side, dim]
Tensor windows_of(const Tensor& x, const PatchGrid& grid, int64_t side) {
  const int64_t below = (side - grid.height % side) % side, right = (side - grid.width % side) % side;
  return at::constant_pad_nd(x.unflatten(1, {grid.height, grid.width}), {0, 0, 0, right, 0, below})
      .unflatten(2, {-1, side})
      .unflatten(1, {-1, side})  // [B, rows, side, columns, side, dim]
      .transpose(2, 3)
      .flatten(0, 2)
      .flatten(1, 2);
}

// The other way round, without what was filled up.
Tensor grid_of_windows(const Tensor& windows, const PatchGrid& grid, int64_t side) {
  const int64_t rows = (grid.height + side - 1) / side, columns = (grid.width + side - 1) / side;
  return windows.unflatten(0, {-1, rows, columns})
      .unflatten(3, {side, side})
      .transpose(2, 3)
      .flatten(3, 4)
      .flatten(1, 2)
      .narrow(1, 0, grid.height)
      .narrow(2, 0, grid.width)
      .flatten(1, 2);
}

// For each query (first) and key along one side the vector of the way between them, [side, side, channels].
Tensor ways(const Tensor& relative, int64_t side) {
  const Tensor place = at::arange(side, relative.options().dtype(at::kLong));
  const Tensor difference = place.unsqueeze(1) - place + (side - 1);
  return resized_relative_positions(relative, side).index_select(0, difference.flatten()).unflatten(0, {side, side});
}

// Of each token its row and its column, one-hot, [h * w, h + w].
Tensor places(const PatchGrid& grid, const at::TensorOptions& options) {
  const auto [h, w] = grid;
  const Tensor rows = at::eye(h, options).unsqueeze(1).expand({h, w, h}),
               columns = at::eye(w, options).expand({h, w, w});
  return at::cat({rows, columns}, 2).flatten(0, 1);
}

}  // namespace

torch::nn::LayerNorm vit_norm(int64_t dim) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}).eps(1e-6));
}

ViTBlock::ViTBlock(int64_t dim, int64_t heads, int64_t hidden, const SpatialAttention& spatial)
    : heads_(heads), window_(spatial.window) {
  norm1_ = register_module("norm1", vit_norm(dim));
  const auto attn = register_module("attn", std::make_shared<torch::nn::Module>());
  qkv_ = attn->register_module("qkv", torch::nn::Linear(dim, 3 * dim));
  proj_ = attn->register_module("proj", torch::nn::Linear(dim, dim));
  if (spatial.relative_side > 0) {
    const std::vector<int64_t> shape{2 * spatial.relative_side - 1, dim / heads};
    rel_pos_h_ = attn->register_parameter("rel_pos_h", at::zeros(shape));
    rel_pos_w_ = attn->register_parameter("rel_pos_w", at::zeros(shape));
  }
  norm2_ = register_module("norm2", vit_norm(dim));
  const auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>());
  fc1_ = mlp->register_module("fc1", torch::nn::Linear(dim, hidden));
  fc2_ = mlp->register_module("fc2", torch::nn::Linear(hidden, dim));
}

Tensor ViTBlock::forward(const Tensor& x, const Tensor& scales, const PatchGrid& grid) {
  const Tensor seen = add_branch(x, attention(norm1_(x), grid), scales, 0);
  return add_branch(seen, mlp(norm2_(seen)), scales, 1);
}

Tensor ViTBlock::attention(const Tensor& x, const PatchGrid& grid) {
  if (window_ == 0) return fused_linear(*proj_, attended(x, grid));
  const Tensor windows = attended(windows_of(x, grid, window_), {window_, window_});
  return fused_linear(*proj_, grid_of_windows(windows, grid, window_));
}

Tensor ViTBlock::attended(const Tensor& x, const PatchGrid& grid) {
  // One unbind, where the three lie in memory: its backward is one stack, in the layout that the product before wants.
  const auto qkv = fused_linear(*qkv_, x).unflatten(-1, {3, heads_, -1}).unbind(2);  // [B, N, heads, dim / heads] each
  if (rel_pos_h_.defined()) return related(qkv[0], qkv[1], qkv[2], grid);
  const Tensor out = at::scaled_dot_product_attention(qkv[0].transpose(1, 2), qkv[1].transpose(1, 2),
                                                      qkv[2].transpose(1, 2));  // [B, heads, N, dim / heads]
  return out.transpose(1, 2).flatten(2);
}

// Each score gains query . way (MViTv2, Li et al. 2022), the way being one by rows and one by columns. A query's
// products with all ways, times the key's place, one-hot, are that: as further channels of query and key they leave
// attention fused, where [heads, N, N] scores to add would take a gigabyte of a large picture.
Tensor ViTBlock::related(const Tensor& query, const Tensor& key, const Tensor& value, const PatchGrid& grid) {
  const auto [h, w] = grid;
  const int64_t channels = query.size(3);
  const double root = std::sqrt(static_cast<double>(channels));  // ways are not scaled, all scores are
  const Tensor of_grid = query.unflatten(1, {h, w});
  const Tensor by_row = at::einsum("byxnc,ykc->byxnk", {of_grid, ways(rel_pos_h_, h)}).flatten(1, 2),
               by_column = at::einsum("byxnc,xkc->byxnk", {of_grid, ways(rel_pos_w_, w)}).flatten(1, 2);
  const Tensor place = places(grid, key.options()).unsqueeze(1).expand({key.size(0), h * w, heads_, h + w});
  const Tensor queries = at::cat({query, by_row * root, by_column * root}, 3), keys = at::cat({key, place}, 3),
               values = at::constant_pad_nd(value, {0, h + w});  // fused kernels want one width
  const Tensor out =
      at::scaled_dot_product_attention(queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2), {}, 0,
                                       /*is_causal=*/false, /*scale=*/1 / root);
  return out.narrow(3, 0, channels).transpose(1, 2).flatten(2);
}

Tensor ViTBlock::mlp(const Tensor& x) { return fused_linear(*fc2_, at::gelu(fused_linear(*fc1_, x))); }

Tensor resized_relative_positions(const Tensor& relative, int64_t wanted_side) {
  const int64_t wanted = 2 * wanted_side - 1;
  if (relative.size(0) == wanted) return relative;
  return at::upsample_linear1d(relative.t().unsqueeze(0), {wanted}, /*align_corners=*/false).squeeze(0).t();
}

}  // namespace freeatm::models
