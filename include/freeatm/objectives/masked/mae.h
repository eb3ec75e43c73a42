// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "freeatm/models/vit_block.h"
#include "freeatm/objectives/masked/masked.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

struct MaeOptions {
  int64_t decoder_dim = 512, decoder_depth = 8, decoder_heads = 16;  // ViT-B's of the paper
  bool normalise_target = true;                                      // each patch by its own mean and deviation
  double target_eps = 4e-4;            // added to a patch's variance: (.02)^2 of pixels in [0, 1]; the authors' 1e-6
  std::string target_pixels = "unit";  // [0, 1]; "imagenet": as the encoder sees them, the authors' way
  MaskedOptions common;
  void fields(config::Fields& f);
};

/// Masked autoencoder, He et al. 2022: the encoder sees visible patches only, a light decoder predicts the hidden ones'
/// pixels; mean squared error. Parameters are named as the authors' files name them, the encoder's below "backbone".
class Mae final : public Masked {
 public:
  Mae(std::shared_ptr<models::Backbone> backbone, const MaeOptions& options, uint64_t seed);

  /// pixels: bytes [B, size, size, 3]; hidden: [B, patches], as many in each row.
  Reconstruction reconstruct(const at::Tensor& pixels, const at::Tensor& hidden) override;
  at::Tensor as_unit(const at::Tensor& values, const at::Tensor& pixels) override;

 protected:
  at::Tensor patch_losses(const Reconstruction& both) const override;

 private:
  at::Tensor decode(const at::Tensor& encoded, const at::Tensor& visible);
  struct Scale {
    at::Tensor mean, deviation;  // of each patch, [B, patches, 1]
  };
  Scale scale_of(const at::Tensor& values) const;
  /// The patches' values in the units of target_pixels, [B, patches, 3 patch^2].
  at::Tensor values_of(const at::Tensor& pixels, const at::Tensor& images) const;
  at::Tensor target(const at::Tensor& pixels, const at::Tensor& images) const;
  void initialize(uint64_t seed);

  MaeOptions options_;
  at::Tensor mask_token_, decoder_pos_embed_;  // [1, 1, decoder_dim], [1, prefix + patches, decoder_dim]
  torch::nn::Linear decoder_embed_{nullptr}, decoder_pred_{nullptr};
  torch::nn::LayerNorm decoder_norm_{nullptr};
  std::vector<std::shared_ptr<models::ViTBlock>> decoder_blocks_;
};

std::unique_ptr<Recipe> mae_recipe();

}  // namespace freeatm::objectives
