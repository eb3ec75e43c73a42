// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/nn/modules/conv.h>

namespace freeatm::models {

/// A convolution whose weights lie in memory as pictures and features do: else each call would copy them.
inline torch::nn::Conv2d channels_last_conv2d(const torch::nn::Conv2dOptions& options) {
  torch::nn::Conv2d layer(options);
  layer->weight.set_data(layer->weight.contiguous(at::MemoryFormat::ChannelsLast));
  return layer;
}

}  // namespace freeatm::models
