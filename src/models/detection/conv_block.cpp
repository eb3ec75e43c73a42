// SPDX-License-Identifier: Apache-2.0
#include "conv_block.h"

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

#include "../channels_last.h"

namespace freeatm::models {

ChannelNormImpl::ChannelNormImpl(int64_t channels)
    : weight_(register_parameter("weight", at::ones({channels}))),
      bias_(register_parameter("bias", at::zeros({channels}))) {}

at::Tensor ChannelNormImpl::forward(const at::Tensor& x) {
  constexpr double kEps = 1e-6;
  // [B, h, w, channels], which is how channels-last memory lies already
  return at::layer_norm(x.permute({0, 2, 3, 1}), {x.size(1)}, weight_, bias_, kEps).permute({0, 3, 1, 2});
}

ConvBlockImpl::ConvBlockImpl(int64_t in, int64_t out, const Options& options) : relu_(options.relu) {
  FREEATM_CHECK(options.norm == "none" || options.norm == "batch" || options.norm == "layer", "norm '{}'",
                options.norm);
  convolution_ = register_module(
      "0",
      channels_last_conv2d(
          torch::nn::Conv2dOptions(in, out, options.kernel).padding(options.kernel / 2).bias(options.norm == "none")));
  if (options.norm == "batch") batch_norm_ = register_module("1", Norm(out));
  if (options.norm == "layer") channel_norm_ = register_module("1", ChannelNorm(out));
}

at::Tensor ConvBlockImpl::forward(const at::Tensor& x) {
  at::Tensor y = convolution_(x);
  if (batch_norm_) return relu_ ? batch_norm_->norm_relu(std::move(y)) : batch_norm_(y);
  if (channel_norm_) y = channel_norm_(y);
  return relu_ ? y.relu_() : y;
}

}  // namespace freeatm::models
