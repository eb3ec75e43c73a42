// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/vit.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/nn/modules/container/modulelist.h>

#include "freeatm/core/error.h"
#include "freeatm/models/initialize.h"

namespace freeatm::models {
namespace {

using at::Tensor;

constexpr double kPositionDeviation = 0.02, kTokenDeviation = 1e-6;
constexpr int64_t kGlobalBlocks = 4;  // ViTDet's

// Of so many blocks that look at all patches, evenly spaced with the last among them, 2, 5, 8 and 11 of 12.
bool is_global_block(int64_t block, int64_t depth) {
  return (block + 1) * kGlobalBlocks / depth > block * kGlobalBlocks / depth;
}

}  // namespace

void ViTOptions::fields(config::Fields& f) {
  f("image_size", image_size, "side of the pictures that the positions are for, pixels; others get them resized",
    config::between(8, 4096));
  f("patch_size", patch_size, "side of a patch, pixels", config::between(1, 256));
  f("dim", dim, "channels of a token", config::between(4, 8192));
  f("depth", depth, "blocks", config::between(1, 128));
  f("heads", heads, "of the attention; they divide dim", config::between(1, 256));
  f("mlp_ratio", mlp_ratio, "width of a block's MLP, in dims", config::between(0.25, 16));
  f("class_token", class_token, "whether there is one beside the patches");
  f("global_pool", global_pool, "token: the class token is the feature; avg: the mean of the patches",
    config::any_of({"token", "avg"}));
  f("positions", positions, "learned, or sincos: fixed (until finetuning)", config::any_of({"learned", "sincos"}));
  f("freeze_patch_embed", freeze_patch_embed, "leave the patches' projection as it was drawn (MoCo v3)");
  f("window_size", window_size,
    "patches along a side of the windows that all blocks but four look at (ViTDet); 0: none", config::between(0, 4096));
  f("relative_positions", relative_positions, "learnt ones of query and key, by rows and columns, too (ViTDet)");
  if (!f.reading()) return;
  if (image_size % patch_size != 0)
    f.refuse("image_size", format("{} is no multiple of patch_size {}", image_size, patch_size));
  if (dim % heads != 0) f.refuse("heads", format("{} does not divide dim {}", heads, dim));
  if (positions == "sincos" && dim % 4 != 0) f.refuse("dim", format("{} is no multiple of 4, as sincos wants", dim));
  if (global_pool == "token" && !class_token) f.refuse("global_pool", "token needs class_token=true");
  if (class_token && (window_size > 0 || relative_positions))
    f.refuse("class_token", "has no place in windows and no relative position: class_token=false, global_pool=avg");
}

void ViTOptions::fit_to_pictures(int64_t side, const std::string& key) {
  if (side % patch_size != 0)
    throw UserError("", key, "{} is no multiple of the model's patch_size {}", side, patch_size);
  image_size = side;
}

void ViTOptions::prepare_finetuning(const std::optional<std::string>& wanted_global_pool) {
  global_pool = wanted_global_pool.value_or(global_pool);
  freeze_patch_embed = false;
  if (global_pool == "token" && !class_token)
    throw UserError("", "global_pool", "token needs a class token, which this model lacks");
}

void ViTOptions::prepare_detection(int64_t wanted_window_size, bool wants_relative_positions) {
  if (wanted_window_size > 0) window_size = wanted_window_size;
  relative_positions = relative_positions || wants_relative_positions;
  if (window_size > 0 || relative_positions) class_token = false, global_pool = "avg";
}

Tensor sincos_positions(int64_t height, int64_t width, int64_t dim) {
  const int64_t bands = dim / 4;
  const Tensor frequencies = at::pow(10000.0, -at::arange(bands, at::kDouble) / static_cast<double>(bands));
  const auto waves = [&](int64_t count) {  // [count, 2 * bands]
    const Tensor angles = at::outer(at::arange(count, at::kDouble), frequencies);
    return at::cat({angles.sin(), angles.cos()}, 1);
  };
  const Tensor rows = waves(height).unsqueeze(1).expand({height, width, 2 * bands});
  const Tensor columns = waves(width).unsqueeze(0).expand({height, width, 2 * bands});
  return at::cat({rows, columns}, 2).flatten(0, 1).to(at::kFloat);
}

Tensor resized_positions(const Tensor& positions, int64_t prefix, int64_t old_height, int64_t old_width, int64_t height,
                         int64_t width) {
  if (old_height == height && old_width == width) return positions;
  const Tensor grid = positions.narrow(1, prefix, old_height * old_width)
                          .to(at::kFloat)
                          .unflatten(1, {old_height, old_width})
                          .permute({0, 3, 1, 2});
  const Tensor resized = at::_upsample_bicubic2d_aa(grid, {height, width}, /*align_corners=*/false)
                             .flatten(2)
                             .transpose(1, 2)
                             .to(positions.scalar_type());
  return prefix == 0 ? resized : at::cat({positions.narrow(1, 0, prefix), resized}, 1);
}

ViT::ViT(const ViTOptions& options) : options_(options) {
  const int64_t side = options.image_size / options.patch_size, patches = side * side, dim = options.dim;
  if (options.class_token) cls_token_ = register_parameter("cls_token", at::zeros({1, 1, dim}));
  const bool learned = options.positions == "learned";
  pos_embed_ = register_parameter("pos_embed", at::zeros({1, prefix_tokens() + patches, dim}), learned);
  if (!learned) pos_embed_[0].narrow(0, prefix_tokens(), patches).copy_(sincos_positions(side, side, dim));

  const auto patch_embed = register_module("patch_embed", std::make_shared<torch::nn::Module>());
  proj_ = patch_embed->register_module(
      "proj", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, dim, options.patch_size).stride(options.patch_size)));
  if (options.freeze_patch_embed) {
    for (Tensor& parameter : proj_->parameters()) parameter.requires_grad_(false);
  }
  const auto blocks = register_module("blocks", torch::nn::ModuleList());
  const auto hidden = static_cast<int64_t>(static_cast<double>(dim) * options.mlp_ratio);
  for (int64_t i = 0; i < options.depth; ++i) {
    SpatialAttention spatial{.window = is_global_block(i, options.depth) ? 0 : options.window_size};
    if (options.relative_positions) spatial.relative_side = spatial.window > 0 ? spatial.window : side;
    blocks->push_back(blocks_.emplace_back(std::make_shared<ViTBlock>(dim, options.heads, hidden, spatial)));
  }
  norm_ = register_module(pools_token() ? "norm" : "fc_norm", vit_norm(dim));
}

PatchGrid ViT::grid_of(const Tensor& images) const {
  const int64_t height = images.size(2), width = images.size(3), patch = options_.patch_size;
  if (height % patch != 0 || width % patch != 0) {
    throw UserError("", "model.patch_size", "{} does not divide the pictures' {}x{} pixels", patch, width, height);
  }
  return {height / patch, width / patch};
}

Tensor ViT::patches(const Tensor& images) { return proj_(images).flatten(2).transpose(1, 2); }

Tensor ViT::placed(const Tensor& patches, const PatchGrid& grid) {
  const int64_t side = options_.image_size / options_.patch_size;
  Tensor x = patches;
  if (cls_token_.defined()) x = at::cat({cls_token_.expand({x.size(0), 1, -1}), x}, 1);
  return x + resized_positions(pos_embed_, prefix_tokens(), side, side, grid.height, grid.width);
}

Tensor ViT::encode(Tensor tokens, const Tensor& path_scales, const PatchGrid& grid) {
  if (is_spatial() && grid.height * grid.width != tokens.size(1))
    throw UserError("", "model.window_size", "windows and relative positions are of whole pictures, none of it hidden");
  int64_t branch = 0;
  for (const auto& block : blocks_) {
    tokens = block->forward(tokens, scales_of(path_scales, branch, 2), grid);
    branch += 2;
  }
  return tokens;
}

std::vector<Tensor> ViT::grids_behind(const std::vector<int64_t>& blocks, const Tensor& images,
                                      const Tensor& path_scales) {
  const PatchGrid grid = grid_of(images);
  Tensor tokens = embed(images);
  std::vector<Tensor> grids;
  for (int64_t block = 0; block < std::ssize(blocks_); ++block) {
    tokens = blocks_[block]->forward(tokens, scales_of(path_scales, 2 * block, 2), grid);
    for (const int64_t wanted : blocks) {
      if (wanted == block + 1)
        grids.push_back(tokens.slice(1, prefix_tokens()).transpose(1, 2).unflatten(2, {grid.height, grid.width}));
    }
  }
  return grids;
}

Tensor ViT::pool(const Tensor& tokens) {
  return norm_(pools_token() ? tokens.select(1, 0) : tokens.slice(1, prefix_tokens()).mean(1));
}

Backbone::Output ViT::run(const Tensor& images, const Tensor& path_scales, const Wanted& wanted) {
  const PatchGrid grid = grid_of(images);
  const Tensor tokens = encode(placed(patches(images), grid), path_scales, grid);
  Output out;
  if (wanted.levels > 0) {
    const Tensor normed = norm_(tokens.slice(1, prefix_tokens()));
    out.levels.push_back({normed.transpose(1, 2).unflatten(2, {grid.height, grid.width}), options_.patch_size});
  }
  if (wanted.pooled) out.pooled = pool(tokens);
  return out;
}

std::vector<double> ViT::path_rates(double last) const {
  std::vector<double> rates;
  for (const double rate : rising_rates(options_.depth, last)) rates.insert(rates.end(), 2, rate);
  return rates;
}

void ViT::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream random(seed, "weights");
  for (const auto& item : named_modules("", /*include_self=*/false)) {
    const std::string& name = item.key();
    if (auto* linear = item.value()->as<torch::nn::Linear>()) {
      const int64_t in = linear->weight.size(1), out = linear->weight.size(0);
      fill_uniform(linear->weight, xavier_bound(in, name.ends_with("qkv") ? out / 3 : out), random.fork(name));
      linear->bias.zero_();
    }
    if (auto* norm = item.value()->as<torch::nn::LayerNorm>()) norm->reset_parameters();
  }
  fill_uniform(proj_->weight, xavier_bound(proj_->weight[0].numel(), options_.dim), random.fork("patch_embed.proj"));
  proj_->bias.zero_();
  if (cls_token_.defined()) fill_normal(cls_token_, kTokenDeviation, random.fork("cls_token"));
  if (options_.positions == "learned") fill_normal(pos_embed_, kPositionDeviation, random.fork("pos_embed"));
}

}  // namespace freeatm::models
