// SPDX-License-Identifier: Apache-2.0
#include "diffusion_blocks.h"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <torch/nn/options/conv.h>

#include "freeatm/ops/group_norm.h"

namespace freeatm::models {

at::Tensor activate(at::Tensor fresh) { return at::GradMode::is_enabled() ? at::silu(fresh) : at::silu_(fresh); }

at::Tensor norm_activate(const torch::nn::GroupNormImpl& norm, const at::Tensor& x) {
  return ops::group_norm_silu(x, norm.options.num_groups(), norm.weight, norm.bias, norm.options.eps());
}

at::Tensor normalize(const torch::nn::GroupNormImpl& norm, const at::Tensor& x) {
  return ops::group_norm(x, norm.options.num_groups(), norm.weight, norm.bias, norm.options.eps());
}

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

torch::nn::Conv2d conv_same(int64_t in_channels, int64_t out_channels, int64_t kernel) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in_channels, out_channels, kernel).padding(kernel / 2));
}

torch::nn::GroupNorm group_norm(int64_t groups, int64_t channels, double eps) {
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(groups, channels).eps(eps));
}

namespace {

// normed [R, C, h, w] * (1 + scale) + shift, both in the embedding [1 or B, 2 C, 1, 1]: row r gets its row r mod B.
at::Tensor modulate(const at::Tensor& normed, const at::Tensor& embedding) {
  const int64_t rows = embedding.size(0);
  const auto halves = (rows == 1 ? embedding : embedding.repeat({normed.size(0) / rows, 1, 1, 1})).chunk(2, 1);
  return at::addcmul(halves[1], normed, halves[0] + 1);
}

}  // namespace

ResnetBlock2D::ResnetBlock2D(int64_t in_channels, int64_t out_channels, const Options& options)
    : scale_shift_(options.scale_shift) {
  norm1_ = register_module("norm1", group_norm(options.groups, in_channels, options.eps));
  conv1_ = register_module("conv1", conv3x3(in_channels, out_channels));
  if (options.time_channels > 0) {
    const int64_t width = scale_shift_ ? 2 * out_channels : out_channels;
    time_emb_proj_ = register_module("time_emb_proj", torch::nn::Linear(options.time_channels, width));
  }
  norm2_ = register_module("norm2", group_norm(options.groups, out_channels, options.eps));
  conv2_ = register_module("conv2", conv3x3(out_channels, out_channels));
  if (in_channels != out_channels)
    conv_shortcut_ = register_module("conv_shortcut", conv1x1(in_channels, out_channels));
}

at::Tensor ResnetBlock2D::forward(const at::Tensor& x, const at::Tensor& time) {
  // [1 or B, out_channels or twice as many, 1, 1]
  const at::Tensor embedding = time.defined() ? time_emb_proj_(time).unsqueeze(-1).unsqueeze(-1) : at::Tensor();
  at::Tensor h = norm_activate(*norm1_, x);
  if (!embedding.defined()) {
    h = norm_activate(*norm2_, conv1_(h));
  } else if (scale_shift_) {
    h = activate(modulate(normalize(*norm2_, conv1_(h)), embedding));
  } else if (embedding.size(0) == 1) {  // one time for all pictures is a part of the convolution's bias
    h = norm_activate(*norm2_,
                      at::conv2d(h, conv1_->weight, conv1_->bias + embedding.flatten(), /*stride=*/1, /*padding=*/1));
  } else {
    h = norm_activate(*norm2_, add_rows(conv1_(h), embedding));
  }
  h = conv2_(h);
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
