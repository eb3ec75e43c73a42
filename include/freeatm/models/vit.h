// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/vit_block.h"

namespace freeatm::models {

struct ViTOptions {
  int64_t image_size = 224;  // side of the pictures whose grid the positions are for; others get them resized
  int64_t patch_size = 16;
  int64_t dim = 384, depth = 12, heads = 6;  // ViT-S
  double mlp_ratio = 4;                      // width of a block's MLP / dim
  bool class_token = true;
  std::string global_pool = "token";  // "token": the class token; "avg": the mean of the patches
  std::string positions = "learned";  // or "sincos": fixed
  bool freeze_patch_embed = false;    // MoCo v3's stop_grad_conv1
  int64_t window_size = 0;            // ViTDet's windows, patches a side, in all blocks but four; 0: none
  bool relative_positions = false;    // ViTDet's, beside those of the patches
  void fields(config::Fields& f);
  void fit_to_pictures(int64_t side, const std::string& key);  // as ModelOptions wants them
  void prepare_finetuning(const std::optional<std::string>& wanted_global_pool);
  void prepare_detection(int64_t wanted_window_size, bool wants_relative_positions);
};

/// Vision transformer, Dosovitskiy et al. 2021. Names and output equal timm's `VisionTransformer` without its head,
/// with `dynamic_img_size`: a picture of another size gets the positions as `resample_abs_pos_embed` resizes them.
///   global_pool token: pooled = norm(tokens)[0], grid = norm(patches)
///   global_pool avg:   pooled = fc_norm(mean of the patches), grid = fc_norm(patches)
/// With window_size or relative_positions it is ViTDet's (Li et al. 2022): the blocks of transformers' `VitDetModel`,
/// four of which, evenly spaced, the last among them, look at all patches. A class token has no place there.
class ViT final : public Backbone {
 public:
  explicit ViT(const ViTOptions& options);

  std::vector<LevelShape> levels() const override { return {{options_.dim, options_.patch_size}}; }
  std::vector<double> path_rates(double last) const override;  // attention and MLP of each block

  /// Throws UserError where a side is no multiple of patch_size.
  PatchGrid grid_of(const at::Tensor& images) const;

  /// The forward pass in its parts; `forward` is pool(encode(embed(images))). Masked modelling works in between: SimMIM
  /// replaces patches by a mask token between `patches` and `placed`; MAE drops tokens behind the prefix between
  /// `embed` and `encode`.
  /// images: [B, 3, H, W]. Returns the patches' projections, [B, h * w, dim], row by row.
  at::Tensor patches(const at::Tensor& images);
  /// The class token in front, where there is one, and the positions added, [B, prefix + h * w, dim].
  at::Tensor placed(const at::Tensor& patches, const PatchGrid& grid);
  at::Tensor embed(const at::Tensor& images) { return placed(patches(images), grid_of(images)); }
  /// tokens: [B, N, dim], any N. Returns them behind the last block, before the final norm.
  ///   grid: of all tokens. Windows and relative positions throw UserError("", "model.window_size", ...) without it.
  at::Tensor encode(at::Tensor tokens, const at::Tensor& path_scales = {}, const PatchGrid& grid = {});
  /// The patches' tokens behind so many blocks each, rising, as grids [B, dim, h, w] without the final norm.
  std::vector<at::Tensor> grids_behind(const std::vector<int64_t>& blocks, const at::Tensor& images,
                                       const at::Tensor& path_scales = {});
  /// The final norm of any tokens that `encode` gave.
  at::Tensor normed(const at::Tensor& tokens) { return norm_(tokens); }
  /// tokens: [B, prefix + N, dim]. Returns the pooled features, [B, dim].
  at::Tensor pool(const at::Tensor& tokens);
  int64_t depth() const { return options_.depth; }  // blocks
  /// Tokens in front of the patches: the class token.
  int64_t prefix_tokens() const { return options_.class_token ? 1 : 0; }

  /// MoCo v3's and MAE's: linear layers uniform in +-sqrt(6 / (in + out)), query, key and value each for itself, and so
  /// the patches' projection as one linear layer; biases 0, norms 1 and 0; class token normal with deviation 1e-6,
  /// learned positions with .02 (timm). Each tensor is a function of (seed, its name).
  void initialize(uint64_t seed);

 private:
  Output run(const at::Tensor& images, const at::Tensor& path_scales, const Wanted& wanted) override;
  bool pools_token() const { return options_.global_pool == "token"; }
  bool is_spatial() const { return options_.window_size > 0 || options_.relative_positions; }

  ViTOptions options_;
  at::Tensor cls_token_, pos_embed_;  // [1, 1, dim], [1, prefix + patches, dim]
  torch::nn::Conv2d proj_{nullptr};
  std::vector<std::shared_ptr<ViTBlock>> blocks_;
  torch::nn::LayerNorm norm_{nullptr};  // "norm" or "fc_norm"
};

/// Fixed positions of a grid, [height * width, dim]: sine and cosine of the row, then of the column, over dim / 4
/// frequencies 10000^(-4 i / dim) each (MoCo v3's order; MAE has the column first).
///   dim: a multiple of 4
at::Tensor sincos_positions(int64_t height, int64_t width, int64_t dim);

/// timm's `resample_abs_pos_embed`: bicubic with antialias, in fp32; the tokens before the grid stay.
///   positions: [1, prefix + old_height * old_width, dim]
at::Tensor resized_positions(const at::Tensor& positions, int64_t prefix, int64_t old_height, int64_t old_width,
                             int64_t height, int64_t width);

}  // namespace freeatm::models
