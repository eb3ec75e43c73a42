// SPDX-License-Identifier: Apache-2.0
// The parts of a small latent diffusion model as a configuration says them, under the names of diffusers' config.json.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"

namespace freeatm::models {

/// An AutoencoderKL's shape, under the names of its config.json.
struct VaeShape {
  std::vector<int64_t> block_out_channels = {16, 32, 64};
  int64_t latent_channels = 4, layers_per_block = 1, norm_num_groups = 8;
  bool mid_block_add_attention = false;
  void fields(config::Fields& f);
  AutoencoderOptions options() const;
};

/// A UNet2DConditionModel's shape.
struct UNetShape {
  int64_t in_channels = 4;  // and out_channels
  std::vector<int64_t> block_out_channels = {64, 96, 128};
  std::vector<std::string> down_block_types = {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"};
  std::vector<int64_t> heads = {4, 4, 4};
  int64_t layers_per_block = 1, norm_num_groups = 16;
  void fields(config::Fields& f);
  ///   sample_size: side of the latents; cross_attention_dim: width of the text states
  UNetOptions options(int64_t sample_size, int64_t cross_attention_dim) const;
};

/// A CLIPTextModel's shape; vocabulary and length come from the tokenizer.
struct TextEncoderShape {
  int64_t hidden_size = 128, intermediate_size = 384, num_hidden_layers = 2, num_attention_heads = 4;
  void fields(config::Fields& f);
  ClipTextConfig config(int64_t vocab_size, int64_t max_length) const;
};

}  // namespace freeatm::models
