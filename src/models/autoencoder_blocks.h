// SPDX-License-Identifier: Apache-2.0
// Encoder and decoder of AutoencoderKL.
#pragma once
#include <memory>

#include "freeatm/models/autoencoder_kl.h"

#include "attention_layers.h"

namespace freeatm::models {

/// Single-headed self-attention over the grid, around it the residual.
class VaeAttention : public Attention {
 public:
  VaeAttention(int64_t channels, int64_t groups);
  at::Tensor forward(const at::Tensor& x);  // [B, channels, h, w]

 private:
  torch::nn::GroupNorm group_norm_;
};

/// Residual block, attention where the model has it, residual block.
class VaeMidBlock : public torch::nn::Module {
 public:
  explicit VaeMidBlock(const AutoencoderOptions& options);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::shared_ptr<ModuleArray<ResnetBlock2D>> resnets_;
  std::shared_ptr<ModuleArray<VaeAttention>> attentions_;  // one, or null
};

/// Residual blocks, then half the grid (DownEncoderBlock2D) or twice the grid (UpDecoderBlock2D), or neither at the
/// end.
class VaeBlock : public torch::nn::Module {
 public:
  enum class Then { kNothing, kDown, kUp };
  VaeBlock(int64_t in_channels, int64_t out_channels, int64_t layers, int64_t groups, Then then);
  at::Tensor forward(at::Tensor x);

 private:
  std::shared_ptr<ModuleArray<ResnetBlock2D>> resnets_;
  std::shared_ptr<ModuleArray<Downsample2D>> downsamplers_;
  std::shared_ptr<ModuleArray<Upsample2D>> upsamplers_;
};

/// [B, in_channels, H, W] -> mean and log-variance, [B, 2 * latent_channels, h, w].
class VaeEncoder : public torch::nn::Module {
 public:
  explicit VaeEncoder(const AutoencoderOptions& options);
  at::Tensor forward(at::Tensor x);

 private:
  Convolution conv_in_{nullptr}, conv_out_{nullptr};
  std::shared_ptr<ModuleArray<VaeBlock>> down_blocks_;
  std::shared_ptr<VaeMidBlock> mid_block_;
  torch::nn::GroupNorm conv_norm_out_{nullptr};
};

/// [B, latent_channels, h, w] -> [B, out_channels, H, W].
class VaeDecoder : public torch::nn::Module {
 public:
  explicit VaeDecoder(const AutoencoderOptions& options);
  at::Tensor forward(at::Tensor x);

 private:
  Convolution conv_in_{nullptr}, conv_out_{nullptr};
  std::shared_ptr<VaeMidBlock> mid_block_;
  std::shared_ptr<ModuleArray<VaeBlock>> up_blocks_;
  torch::nn::GroupNorm conv_norm_out_{nullptr};
};

}  // namespace freeatm::models
