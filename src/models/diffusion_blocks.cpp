// SPDX-License-Identifier: Apache-2.0
#include "diffusion_blocks.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <torch/nn/options/conv.h>

namespace freeatm::models {

at::Tensor activate(at::Tensor fresh) { return at::GradMode::is_enabled() ? at::silu(fresh) : at::silu_(fresh); }

at::Tensor add_rows(at::Tensor out, const at::Tensor& x) {
  const int64_t copies = out.size(0) / x.size(0);
  if (copies == 1) return out.add_(x);
  return out.unflatten(0, {copies, x.size(0)}).add_(x).flatten(0, 1);
}

torch::nn::Conv2d conv3x3(int64_t in_channels, int64_t out_channels, int64_t stride, int64_t padding) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in_channels, out_channels, 3).stride(stride).padding(padding));
}

torch::nn::Conv2d conv1x1(int64_t in_channels, int64_t out_channels) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in_channels, out_channels, 1));
}

torch::nn::GroupNorm group_norm(int64_t groups, int64_t channels, double eps) {
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(groups, channels).eps(eps));
}

ResnetBlock2D::ResnetBlock2D(int64_t in_channels, int64_t out_channels, int64_t time_channels, int64_t groups,
                             double eps) {
  norm1_ = register_module("norm1", group_norm(groups, in_channels, eps));
  conv1_ = register_module("conv1", conv3x3(in_channels, out_channels));
  if (time_channels > 0)
    time_emb_proj_ = register_module("time_emb_proj", torch::nn::Linear(time_channels, out_channels));
  norm2_ = register_module("norm2", group_norm(groups, out_channels, eps));
  conv2_ = register_module("conv2", conv3x3(out_channels, out_channels));
  if (in_channels != out_channels)
    conv_shortcut_ = register_module("conv_shortcut", conv1x1(in_channels, out_channels));
}

at::Tensor ResnetBlock2D::forward(const at::Tensor& x, const at::Tensor& time) {
  const at::Tensor shift = time.defined() ? time_emb_proj_(time) : at::Tensor();  // [1 or B, out_channels]
  at::Tensor h = activate(norm1_(x));
  if (shift.defined() && shift.size(0) == 1) {  // one time for all pictures is a part of the convolution's bias
    h = at::conv2d(h, conv1_->weight, conv1_->bias + shift[0], /*stride=*/1, /*padding=*/1);
  } else {
    h = conv1_(h);
    if (shift.defined()) h = add_rows(h, shift.unsqueeze(-1).unsqueeze(-1));
  }
  h = conv2_(activate(norm2_(h)));
  return h.add_(conv_shortcut_.is_empty() ? x : conv_shortcut_(x));
}

Downsample2D::Downsample2D(int64_t channels, bool symmetric)
    : symmetric_(symmetric), conv_(register_module("conv", conv3x3(channels, channels, 2, symmetric ? 1 : 0))) {}

at::Tensor Downsample2D::forward(const at::Tensor& x) {
  return conv_(symmetric_ ? x : at::constant_pad_nd(x, {0, 1, 0, 1}, 0));
}

Upsample2D::Upsample2D(int64_t channels) : conv_(register_module("conv", conv3x3(channels, channels))) {}

at::Tensor Upsample2D::forward(const at::Tensor& x, int64_t height, int64_t width) {
  return conv_(at::upsample_nearest2d(x, {height, width}));
}

}  // namespace freeatm::models
