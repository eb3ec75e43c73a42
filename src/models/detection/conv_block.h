// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "freeatm/models/norm.h"

namespace freeatm::models {

/// LayerNorm over the channels of [B, channels, h, w] (ViTDet's).
class ChannelNormImpl final : public torch::nn::Module {
 public:
  explicit ChannelNormImpl(int64_t channels);
  at::Tensor forward(const at::Tensor& x);

 private:
  at::Tensor weight_, bias_;
};
TORCH_MODULE(ChannelNorm);

/// A convolution of stride 1 that keeps the size, and what stands behind it: a norm, a ReLU. Names equal torchvision's
/// `Conv2dNormActivation`: "0" the convolution, which has a bias where there is no norm, "1" the norm.
class ConvBlockImpl final : public torch::nn::Module {
 public:
  struct Options {
    int64_t kernel = 3;
    std::string norm = "none";  // "none" | "batch" | "layer"
    bool relu = true;
  };
  ConvBlockImpl(int64_t in, int64_t out, const Options& options);
  at::Tensor forward(const at::Tensor& x);

 private:
  bool relu_;
  torch::nn::Conv2d convolution_{nullptr};
  Norm batch_norm_{nullptr};
  ChannelNorm channel_norm_{nullptr};
};
TORCH_MODULE(ConvBlock);

}  // namespace freeatm::models
