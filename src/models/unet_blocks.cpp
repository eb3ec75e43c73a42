// SPDX-License-Identifier: Apache-2.0
#include "unet_blocks.h"

#include <cmath>

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

namespace freeatm::models {

int64_t time_channels(const UNetOptions& options) {
  return options.time_embedding_dim > 0 ? options.time_embedding_dim : 4 * options.block_out_channels[0];
}

namespace {

ResnetBlock2D::Options resnet_options(const UNetOptions& options) {
  return {.groups = options.norm_num_groups,
          .eps = options.norm_eps,
          .time_channels = time_channels(options),
          .scale_shift = options.scale_shift};
}

}  // namespace

TimestepEmbedding::TimestepEmbedding(const UNetOptions& options, int64_t embedding_dim)
    : channels_(options.block_out_channels[0]),
      freq_shift_(options.freq_shift),
      flip_sin_to_cos_(options.flip_sin_to_cos),
      linear_1_(register_module("linear_1", torch::nn::Linear(channels_, embedding_dim))),
      linear_2_(register_module("linear_2", torch::nn::Linear(embedding_dim, embedding_dim))) {}

at::Tensor TimestepEmbedding::forward(const at::Tensor& timesteps) {
  const int64_t half = channels_ / 2;
  // In diffusers' order: timestep 999 makes a rounding of the exponent six hundred times as large.
  const at::Tensor exponent =
      at::arange(half, timesteps.options().dtype(at::kFloat)) * -std::log(10000.0) / (half - freq_shift_);
  const at::Tensor angle = timesteps.to(at::kFloat).unsqueeze(1) * exponent.exp();  // [T, channels / 2]
  const at::Tensor waves =
      flip_sin_to_cos_ ? at::cat({angle.cos(), angle.sin()}, 1) : at::cat({angle.sin(), angle.cos()}, 1);
  return linear_2_(activate(linear_1_(waves.to(linear_1_->weight.scalar_type()))));
}

UNetDownBlock::UNetDownBlock(const UNetOptions& options, size_t level) {
  const auto& channels = options.block_out_channels;
  const bool cross = options.down_cross[level], last = level + 1 == channels.size();
  if (cross) attentions_ = register_module("attentions", std::make_shared<ModuleArray<Transformer2D>>());
  resnets_ = register_module("resnets", std::make_shared<ModuleArray<ResnetBlock2D>>());
  for (int64_t i = 0; i < options.layers_per_block[level]; ++i) {
    const int64_t in = i == 0 && level > 0 ? channels[level - 1] : channels[level];
    resnets_->add(in, channels[level], resnet_options(options));
    if (cross) attentions_->add(options, channels[level], level);
  }
  if (last) return;
  downsamplers_ = register_module("downsamplers", std::make_shared<ModuleArray<Downsample2D>>());
  downsamplers_->add(channels[level], /*symmetric=*/true);
}

at::Tensor UNetDownBlock::forward(at::Tensor x, const UNetPass& pass, std::vector<at::Tensor>& skips, bool to_next) {
  for (size_t i = 0; i < resnets_->size(); ++i) {
    x = (*resnets_)[i].forward(x, pass.time);
    if (attentions_) x = (*attentions_)[i].forward(x, pass);
    skips.push_back(x);
  }
  if (to_next) skips.push_back(x = (*downsamplers_)[0].forward(x));
  return x;
}

UNetMidBlock::UNetMidBlock(const UNetOptions& options) {
  const int64_t channels = options.block_out_channels.back();
  const bool cross = options.mid_block == MidBlock::kCrossAttention;
  if (cross) {
    attentions_ = register_module("attentions", std::make_shared<ModuleArray<Transformer2D>>());
    attentions_->add(options, channels, options.block_out_channels.size() - 1);
  }
  resnets_ = register_module("resnets", std::make_shared<ModuleArray<ResnetBlock2D>>());
  for (int i = 0; i < (cross ? 2 : 1); ++i) resnets_->add(channels, channels, resnet_options(options));
}

at::Tensor UNetMidBlock::forward(const at::Tensor& x, const UNetPass& pass) {
  const at::Tensor h = (*resnets_)[0].forward(x, pass.time);
  return attentions_ ? (*resnets_)[1].forward((*attentions_)[0].forward(h, pass), pass.time) : h;
}

UNetUpBlock::UNetUpBlock(const UNetOptions& options, size_t position) {
  const auto& channels = options.block_out_channels;
  const size_t level = channels.size() - 1 - position;
  const bool cross = options.up_cross[position];
  const int64_t coarser = channels[std::min(level + 1, channels.size() - 1)],
                finer = channels[level > 0 ? level - 1 : 0];
  const int64_t layers = options.layers_per_block[level] + 1;
  if (cross) attentions_ = register_module("attentions", std::make_shared<ModuleArray<Transformer2D>>());
  resnets_ = register_module("resnets", std::make_shared<ModuleArray<ResnetBlock2D>>());
  for (int64_t i = 0; i < layers; ++i) {
    const int64_t from_below = i == 0 ? coarser : channels[level], skip = i == layers - 1 ? finer : channels[level];
    resnets_->add(from_below + skip, channels[level], resnet_options(options));
    if (cross) attentions_->add(options, channels[level], level);
  }
  if (level == 0) return;
  upsamplers_ = register_module("upsamplers", std::make_shared<ModuleArray<Upsample2D>>());
  upsamplers_->add(channels[level]);
}

at::Tensor UNetUpBlock::forward(at::Tensor x, const UNetPass& pass, std::vector<at::Tensor>& skips) {
  for (size_t i = 0; i < resnets_->size(); ++i) {
    at::Tensor skip = skips.back();
    skips.pop_back();
    if (skip.size(0) < x.size(0))
      skip = skip.repeat({x.size(0) / skip.size(0), 1, 1, 1});  // from before the halves part
    x = (*resnets_)[i].forward(at::cat({x, skip}, 1), pass.time);
    if (attentions_) x = (*attentions_)[i].forward(x, pass);
  }
  return upsamplers_ ? (*upsamplers_)[0].forward(x, skips.back().size(2), skips.back().size(3)) : x;
}

}  // namespace freeatm::models
