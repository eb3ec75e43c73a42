// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"

namespace freeatm::models {

struct ClipVisionOptions {
  int64_t image_size = 224, patch_size = 16;
  int64_t dim = 768, depth = 12, heads = 12, mlp_dim = 3072;  // ViT-B
  std::string activation = "quick_gelu";                      // OpenAI's; many others': "gelu"
  double layer_norm_eps = 1e-5;
  void fields(config::Fields& f);
  void fit_to_pictures(int64_t side, const std::string& key);  // as ModelOptions wants them
};

struct ClipVisionEmbeddings;
struct ClipEncoder;

/// CLIP's vision tower, Radford et al. 2021: transformers' `CLIPVisionModel`, under its parameter names. A picture of
/// another size gets the positions as its `interpolate_pos_encoding` resizes them.
///   pooled = post_layernorm(class token), grid = post_layernorm(patches)
class ClipVision final : public Backbone {
 public:
  explicit ClipVision(const ClipVisionOptions& options);

  std::vector<LevelShape> levels() const override { return {{options_.dim, options_.patch_size}}; }

  /// pixels: [B, 3, H, W], normalised with CLIP's own mean and deviation; sides are multiples of patch_size. Returns
  /// transformers' last_hidden_state, [B, 1 + h * w, dim]: the class token, then the patches row by row.
  at::Tensor tokens(const at::Tensor& pixels);
  /// tokens: [B, N, dim]. The norm of the class token (transformers' pooler_output is its first row), and here of
  /// patches too.
  at::Tensor normed(const at::Tensor& tokens);

  /// CLIP's first weights: those of its layers, class token with deviation dim^-1/2, patches' projection and positions
  /// with .02. Each tensor is a function of (seed, its name).
  void initialize(uint64_t seed);

 private:
  /// images: with ImageNet's mean and deviation, as all backbones get them (ImageNormalize); CLIP's are others.
  Output run(const at::Tensor& images, const at::Tensor& path_scales, const Wanted& wanted) override;

  ClipVisionOptions options_;
  std::shared_ptr<ClipVisionEmbeddings> embeddings_;
  torch::nn::LayerNorm pre_norm_{nullptr}, post_norm_{nullptr};
  std::shared_ptr<ClipEncoder> encoder_;
  at::Tensor scale_, shift_;  // from ImageNet's normalisation to CLIP's, [3, 1, 1]; in no state dict
};

/// Positions of another grid, bicubic without antialias as transformers resizes them, in fp32.
///   positions: [1 + side * side, dim]. Returns [1 + height * width, dim].
at::Tensor resized_clip_positions(const at::Tensor& positions, int64_t height, int64_t width);

}  // namespace freeatm::models
