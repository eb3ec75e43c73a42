// SPDX-License-Identifier: Apache-2.0
#include "autoencoder_blocks.h"

namespace freeatm::models {
namespace {

constexpr double kNormEps = 1e-6;

ResnetBlock2D::Options resnet_options(int64_t groups) { return {.groups = groups, .eps = kNormEps}; }

}  // namespace

VaeAttention::VaeAttention(int64_t channels, int64_t groups)
    : Attention(channels, channels, /*heads=*/1, /*qkv_bias=*/true),
      group_norm_(register_module("group_norm", group_norm(groups, channels, kNormEps))) {}

at::Tensor VaeAttention::forward(const at::Tensor& x) {
  const at::Tensor tokens = normalize(*group_norm_, x).flatten(2).transpose(1, 2);  // [B, h * w, channels]
  const at::Tensor out = attend(queries(tokens), keys_values(tokens));
  return out.transpose(1, 2).unflatten(2, {x.size(2), x.size(3)}) + x;
}

VaeMidBlock::VaeMidBlock(const AutoencoderOptions& options) {
  const int64_t channels = options.block_out_channels.back();
  if (options.mid_block_add_attention) {
    attentions_ = register_module("attentions", std::make_shared<ModuleArray<VaeAttention>>());
    attentions_->add(channels, options.norm_num_groups);
  }
  resnets_ = register_module("resnets", std::make_shared<ModuleArray<ResnetBlock2D>>());
  for (int i = 0; i < 2; ++i) resnets_->add(channels, channels, resnet_options(options.norm_num_groups));
}

at::Tensor VaeMidBlock::forward(const at::Tensor& x) {
  at::Tensor h = (*resnets_)[0].forward(x);
  if (attentions_) h = (*attentions_)[0].forward(h);
  return (*resnets_)[1].forward(h);
}

VaeBlock::VaeBlock(int64_t in_channels, int64_t out_channels, int64_t layers, int64_t groups, Then then) {
  resnets_ = register_module("resnets", std::make_shared<ModuleArray<ResnetBlock2D>>());
  for (int64_t i = 0; i < layers; ++i) {
    resnets_->add(i == 0 ? in_channels : out_channels, out_channels, resnet_options(groups));
  }
  if (then == Then::kDown) {
    downsamplers_ = register_module("downsamplers", std::make_shared<ModuleArray<Downsample2D>>());
    downsamplers_->add(out_channels, /*symmetric=*/false);
  } else if (then == Then::kUp) {
    upsamplers_ = register_module("upsamplers", std::make_shared<ModuleArray<Upsample2D>>());
    upsamplers_->add(out_channels);
  }
}

at::Tensor VaeBlock::forward(at::Tensor x) {
  for (const auto& resnet : *resnets_) x = resnet->forward(x);
  if (downsamplers_) x = (*downsamplers_)[0].forward(x);
  if (upsamplers_) x = (*upsamplers_)[0].forward(x, 2 * x.size(2), 2 * x.size(3));
  return x;
}

VaeEncoder::VaeEncoder(const AutoencoderOptions& options) {
  const auto& channels = options.block_out_channels;
  conv_in_ = register_module("conv_in", conv3x3(options.in_channels, channels[0]));
  down_blocks_ = register_module("down_blocks", std::make_shared<ModuleArray<VaeBlock>>());
  for (size_t i = 0; i < channels.size(); ++i) {
    const auto then = i + 1 < channels.size() ? VaeBlock::Then::kDown : VaeBlock::Then::kNothing;
    down_blocks_->add(channels[i > 0 ? i - 1 : 0], channels[i], options.layers_per_block, options.norm_num_groups,
                      then);
  }
  mid_block_ = register_module("mid_block", std::make_shared<VaeMidBlock>(options));
  conv_norm_out_ = register_module("conv_norm_out", group_norm(options.norm_num_groups, channels.back(), kNormEps));
  conv_out_ = register_module("conv_out", conv3x3(channels.back(), 2 * options.latent_channels));
}

at::Tensor VaeEncoder::forward(at::Tensor x) {
  x = conv_in_(x);
  for (const auto& block : *down_blocks_) x = block->forward(x);
  return conv_out_(norm_activate(*conv_norm_out_, mid_block_->forward(x)));
}

VaeDecoder::VaeDecoder(const AutoencoderOptions& options) {
  const std::vector<int64_t> channels(options.block_out_channels.rbegin(), options.block_out_channels.rend());
  conv_in_ = register_module("conv_in", conv3x3(options.latent_channels, channels[0]));
  mid_block_ = register_module("mid_block", std::make_shared<VaeMidBlock>(options));
  up_blocks_ = register_module("up_blocks", std::make_shared<ModuleArray<VaeBlock>>());
  for (size_t i = 0; i < channels.size(); ++i) {
    const auto then = i + 1 < channels.size() ? VaeBlock::Then::kUp : VaeBlock::Then::kNothing;
    up_blocks_->add(channels[i > 0 ? i - 1 : 0], channels[i], options.layers_per_block + 1, options.norm_num_groups,
                    then);
  }
  conv_norm_out_ = register_module("conv_norm_out", group_norm(options.norm_num_groups, channels.back(), kNormEps));
  conv_out_ = register_module("conv_out", conv3x3(channels.back(), options.out_channels));
}

at::Tensor VaeDecoder::forward(at::Tensor x) {
  x = mid_block_->forward(conv_in_(x));
  for (const auto& block : *up_blocks_) x = block->forward(x);
  return conv_out_(norm_activate(*conv_norm_out_, x));
}

}  // namespace freeatm::models
