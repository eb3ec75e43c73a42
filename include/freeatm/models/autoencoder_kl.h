// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include "freeatm/weights/safetensors.h"

namespace freeatm::models {

class ConvolutionImpl;
class VaeEncoder;
class VaeDecoder;

/// diffusers' config.json of an AutoencoderKL.
struct AutoencoderOptions {
  int64_t in_channels = 3, out_channels = 3, latent_channels = 4;
  std::vector<int64_t> block_out_channels = {64};
  int64_t layers_per_block = 1;
  int64_t norm_num_groups = 32;
  bool mid_block_add_attention = true;
  bool use_quant_conv = true, use_post_quant_conv = true;
  double scaling_factor = 0.18215;  // latents of the diffusion = latents of the autoencoder * scaling_factor

  /// Throws UserError(path, key, ...) for what is not implemented or does not fit together.
  static AutoencoderOptions from_config(const std::string& path);
  bool operator==(const AutoencoderOptions&) const = default;
};

/// The autoencoder of Stable Diffusion under diffusers' parameter names.
class AutoencoderKL : public torch::nn::Module {
 public:
  explicit AutoencoderKL(const AutoencoderOptions& options);

  /// The diagonal Gaussian of a picture's latents; `mean` is its mode.
  struct Latents {
    at::Tensor mean, logvar;  // [B, latent_channels, h, w]; logvar in [-30, 20]
  };

  /// images: [B, 3, H, W] in [-1, 1]. Latents before scaling_factor.
  Latents encode(const at::Tensor& images);
  /// latents: [B, latent_channels, h, w], already divided by scaling_factor. Returns [B, 3, H, W], about [-1, 1], not
  /// clamped.
  at::Tensor decode(const at::Tensor& latents);

  /// Pixels per latent along a side.
  int64_t factor() const { return int64_t{1} << (options_.block_out_channels.size() - 1); }
  const AutoencoderOptions& options() const { return options_; }

 private:
  AutoencoderOptions options_;
  std::shared_ptr<VaeEncoder> encoder_;
  std::shared_ptr<VaeDecoder> decoder_;
  std::shared_ptr<ConvolutionImpl> quant_conv_, post_quant_conv_;  // null where the config has none
};

/// Weights of before diffusers 0.15 call the middle attention's layers query, key, value and proj_attn: the same
/// tensors under today's names.
weights::TensorMap with_current_attention_names(const weights::TensorMap& tensors);

}  // namespace freeatm::models
