// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/unet_2d_condition.h"

#include "freeatm/core/error.h"

#include "unet_blocks.h"

namespace freeatm::models {
namespace {

Block block_of(const std::string& layer) {
  return layer.starts_with("down_") ? Block::kDown : layer.starts_with("up_") ? Block::kUp : Block::kMid;
}

}  // namespace

UNet2DConditionModel::UNet2DConditionModel(const UNetOptions& options) : options_(options) {
  const auto& channels = options_.block_out_channels;
  conv_in_ = register_module("conv_in", conv_same(options_.in_channels, channels[0], options_.conv_in_kernel).ptr());
  time_embedding_ =
      register_module("time_embedding", std::make_shared<TimestepEmbedding>(options_, time_channels(options_)));

  down_blocks_ = register_module("down_blocks", std::make_shared<ModuleArray<UNetDownBlock>>());
  for (size_t level = 0; level < channels.size(); ++level) down_blocks_->add(options_, level);
  if (options_.mid_block != MidBlock::kNone)
    mid_block_ = register_module("mid_block", std::make_shared<UNetMidBlock>(options_));
  up_blocks_ = register_module("up_blocks", std::make_shared<ModuleArray<UNetUpBlock>>());
  for (size_t position = 0; position < channels.size(); ++position) up_blocks_->add(options_, position);

  conv_norm_out_ =
      register_module("conv_norm_out", group_norm(options_.norm_num_groups, channels[0], options_.norm_eps).ptr());
  conv_out_ =
      register_module("conv_out", conv_same(channels[0], options_.out_channels, options_.conv_out_kernel).ptr());

  for (const auto& item : named_modules("", /*include_self=*/false)) {
    auto* attention = item.value()->as<Attention>();
    if (!attention) continue;
    attention->site.layer = item.key();
    attention->site.block = block_of(item.key());
    if (!attention->site.is_cross) continue;
    attention->context_index = static_cast<int64_t>(cross_attentions_.size());
    cross_attentions_.push_back(attention);
  }
}

UNetContext UNet2DConditionModel::prepare_context(const at::Tensor& encoder_hidden_states) const {
  UNetContext context;
  context.rows = encoder_hidden_states.size(0);
  for (Attention* attention : cross_attentions_)
    context.layers.push_back(attention->keys_values(encoder_hidden_states));
  return context;
}

at::Tensor UNet2DConditionModel::forward(const at::Tensor& sample, const at::Tensor& timesteps,
                                         const UNetContext& context, AttentionProbe* probe, int64_t first_row,
                                         int64_t rows, UNetCache* cache) {
  const int64_t batch = sample.size(0);
  FREEATM_CHECK(context.rows % batch == 0, "{} pictures, {} rows of context", batch, context.rows);
  FREEATM_CHECK(timesteps.dim() == 1 && (timesteps.size(0) == 1 || timesteps.size(0) == batch),
                "timesteps for {} pictures", batch);
  const UNetPass pass{activate(time_embedding_->forward(timesteps)), context, probe, first_row,
                      rows < 0 ? context.rows : rows};

  at::Tensor x = conv_in_->forward(options_.center_input_sample ? 2 * sample - 1 : sample);
  std::vector<at::Tensor> skips = {x};
  const auto levels = static_cast<int64_t>(down_blocks_->size());
  FREEATM_CHECK(!cache || (cache->depth >= 1 && cache->depth < levels), "{} of {} levels", cache->depth, levels);
  const bool is_kept = cache && cache->features.defined();
  const int64_t computed = is_kept ? cache->depth : levels;  // from the finest
  for (int64_t level = 0; level < computed; ++level)
    x = (*down_blocks_)[level].forward(x, pass, skips, /*to_next=*/level + 1 < computed);
  if (is_kept) {
    x = cache->features;
  } else if (mid_block_) {
    x = mid_block_->forward(x, pass);
  }
  for (int64_t level = computed - 1; level >= 0; --level) {
    if (cache && level == cache->depth - 1) cache->features = x;
    x = (*up_blocks_)[levels - 1 - level].forward(x, pass, skips);
  }
  return conv_out_->forward(norm_activate(*conv_norm_out_, x));
}

}  // namespace freeatm::models
