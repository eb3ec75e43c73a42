// SPDX-License-Identifier: Apache-2.0
// The three kinds of block that a UNet is made of.
#pragma once
#include <memory>
#include <vector>

#include "attention_layers.h"

namespace freeatm::models {

/// The sinusoids of Vaswani et al. 2017, [T] -> [T, channels], and the MLP behind them. Names: linear_1, linear_2.
class TimestepEmbedding : public torch::nn::Module {
 public:
  TimestepEmbedding(const UNetOptions& options, int64_t embedding_dim);
  at::Tensor forward(const at::Tensor& timesteps);  // [T] -> [T, embedding_dim]

 private:
  int64_t channels_;
  double freq_shift_;
  bool flip_sin_to_cos_;
  torch::nn::Linear linear_1_, linear_2_;
};

/// Residual blocks, each with its transformer where the level has cross-attention, then half the grid.
/// CrossAttnDownBlock2D, DownBlock2D.
class UNetDownBlock : public torch::nn::Module {
 public:
  UNetDownBlock(const UNetOptions& options, size_t level);
  /// Appends to `skips` what the up blocks will want. Returns the last of them.
  ///   to_next: halves the grid for the next level; the last one has no such layer
  at::Tensor forward(at::Tensor x, const UNetPass& pass, std::vector<at::Tensor>& skips, bool to_next);

 private:
  std::shared_ptr<ModuleArray<ResnetBlock2D>> resnets_;
  std::shared_ptr<ModuleArray<Transformer2D>> attentions_;   // as many as resnets, or null
  std::shared_ptr<ModuleArray<Downsample2D>> downsamplers_;  // one, or null on the last level
};

/// Residual block, transformer, residual block on the coarsest grid (UNetMidBlock2DCrossAttn); or a residual block
/// alone (UNetMidBlock2D, as diffusers builds it for this model).
class UNetMidBlock : public torch::nn::Module {
 public:
  explicit UNetMidBlock(const UNetOptions& options);
  at::Tensor forward(const at::Tensor& x, const UNetPass& pass);

 private:
  std::shared_ptr<ModuleArray<ResnetBlock2D>> resnets_;
  std::shared_ptr<ModuleArray<Transformer2D>> attentions_;  // one, or null
};

/// Residual blocks over the concatenation with what the down blocks left, then twice the grid. CrossAttnUpBlock2D,
/// UpBlock2D.
class UNetUpBlock : public torch::nn::Module {
 public:
  /// position: 0 at the coarsest level
  UNetUpBlock(const UNetOptions& options, size_t position);
  /// Takes its skips off the end.
  at::Tensor forward(at::Tensor x, const UNetPass& pass, std::vector<at::Tensor>& skips);

 private:
  std::shared_ptr<ModuleArray<ResnetBlock2D>> resnets_;
  std::shared_ptr<ModuleArray<Transformer2D>> attentions_;  // as many as resnets, or null
  std::shared_ptr<ModuleArray<Upsample2D>> upsamplers_;     // one, or null on the finest level
};

/// Width of the time embedding.
int64_t time_channels(const UNetOptions& options);

}  // namespace freeatm::models
