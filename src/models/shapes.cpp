// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/shapes.h"

#include "freeatm/core/error.h"

namespace freeatm::models {
namespace {

void check_groups(const config::Fields& f, const std::vector<int64_t>& block_out_channels, int64_t norm_num_groups) {
  if (block_out_channels.empty()) f.refuse("block_out_channels", "is empty");
  for (const int64_t channels : block_out_channels) {
    if (channels % norm_num_groups != 0)
      f.refuse("block_out_channels", format("{} is no multiple of norm_num_groups {}", channels, norm_num_groups));
  }
}

}  // namespace

void VaeShape::fields(config::Fields& f) {
  f("block_out_channels", block_out_channels, "channels of each level; every further one halves the grid",
    config::at_least(1));
  f("latent_channels", latent_channels, "of the latents", config::at_least(1));
  f("layers_per_block", layers_per_block, "residual blocks a level", config::at_least(1));
  f("norm_num_groups", norm_num_groups, "of every norm", config::at_least(1));
  f("mid_block_add_attention", mid_block_add_attention, "attention on the coarsest grid");
  if (f.reading()) check_groups(f, block_out_channels, norm_num_groups);
}

AutoencoderOptions VaeShape::options() const {
  AutoencoderOptions o;
  o.latent_channels = latent_channels;
  o.block_out_channels = block_out_channels;
  o.layers_per_block = layers_per_block;
  o.norm_num_groups = norm_num_groups;
  o.mid_block_add_attention = mid_block_add_attention;
  return o;
}

void UNetShape::fields(config::Fields& f) {
  f("in_channels", in_channels, "of the latents", config::at_least(1));
  f("block_out_channels", block_out_channels, "channels of each level; every further one halves the grid",
    config::at_least(1));
  f("down_block_types", down_block_types, "of each level, mirrored on the way up",
    config::any_of({"CrossAttnDownBlock2D", "DownBlock2D"}));
  f("heads", heads, "of each level's attention", config::at_least(1));
  f("layers_per_block", layers_per_block, "residual blocks a level", config::at_least(1));
  f("norm_num_groups", norm_num_groups, "of every norm", config::at_least(1));
  if (!f.reading()) return;
  check_groups(f, block_out_channels, norm_num_groups);
  const size_t levels = block_out_channels.size();
  if (down_block_types.size() != levels)
    f.refuse("down_block_types", format("{} for {} levels of block_out_channels", down_block_types.size(), levels));
  if (heads.size() != levels) f.refuse("heads", format("{} for {} levels of block_out_channels", heads.size(), levels));
  for (size_t i = 0; i < levels; ++i) {
    if (block_out_channels[i] % heads[i] != 0)
      f.refuse("heads", format("{} do not divide {} channels", heads[i], block_out_channels[i]));
  }
}

UNetOptions UNetShape::options(int64_t sample_size, int64_t cross_attention_dim) const {
  const size_t levels = block_out_channels.size();
  UNetOptions o;
  o.sample_size = sample_size;
  o.in_channels = o.out_channels = in_channels;
  o.block_out_channels = block_out_channels;
  o.layers_per_block.assign(levels, layers_per_block);
  o.heads = heads;
  o.cross_attention_dim.assign(levels, cross_attention_dim);
  o.norm_num_groups = norm_num_groups;
  for (const std::string& type : down_block_types) o.down_cross.push_back(type == "CrossAttnDownBlock2D");
  o.up_cross.assign(o.down_cross.rbegin(), o.down_cross.rend());
  return o;
}

void TextEncoderShape::fields(config::Fields& f) {
  f("hidden_size", hidden_size, "width of the text states", config::at_least(1));
  f("intermediate_size", intermediate_size, "width inside the MLPs", config::at_least(1));
  f("num_hidden_layers", num_hidden_layers, "", config::at_least(1));
  f("num_attention_heads", num_attention_heads, "", config::at_least(1));
  if (f.reading() && hidden_size % num_attention_heads != 0)
    f.refuse("num_attention_heads", format("{} do not divide hidden_size {}", num_attention_heads, hidden_size));
}

ClipTextConfig TextEncoderShape::config(int64_t vocab_size, int64_t max_length) const {
  ClipTextConfig c;
  c.vocab_size = vocab_size;
  c.hidden_size = hidden_size;
  c.intermediate_size = intermediate_size;
  c.num_hidden_layers = num_hidden_layers;
  c.num_attention_heads = num_attention_heads;
  c.max_position_embeddings = max_length;
  return c;
}

}  // namespace freeatm::models
