// SPDX-License-Identifier: Apache-2.0
// config.json of a UNet2DConditionModel: what is honoured, and what is refused by name.
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/models/model_config.h"
#include "freeatm/models/unet_2d_condition.h"

#include "config_checks.h"

namespace freeatm::models {
namespace {

// One value for all levels, or a list of one per level.
std::vector<int64_t> per_level(ModelConfig& config, const std::string& key, int64_t fallback, size_t levels) {
  std::vector<int64_t> values = config.integers(key, {fallback});
  if (values.size() == 1) values.resize(levels, values[0]);
  if (values.size() != levels) {
    throw UserError(config.path(), key, "{} has not one value for each of the {} levels of block_out_channels", values,
                    levels);
  }
  for (const int64_t value : values) {
    if (value < 1) throw UserError(config.path(), key, "{} is not at least 1", value);
  }
  return values;
}

// Block types -> which of them have cross-attention.
std::vector<bool> cross_blocks(ModelConfig& config, const std::string& key, const std::vector<std::string>& fallback,
                               const std::string& with, const std::string& without, size_t levels) {
  std::vector<bool> cross;
  for (const std::string& type : block_types(config, key, fallback, {with, without}, levels))
    cross.push_back(type == with);
  return cross;
}

// What this implementation does one way only.
void fix_the_rest(ModelConfig& config) {
  config.fixed("_class_name", "UNet2DConditionModel");
  config.fixed("center_input_sample", false);
  config.fixed("mid_block_type", "UNetMidBlock2DCrossAttn");
  config.fixed("only_cross_attention", false);
  config.fixed("downsample_padding", 1);
  config.fixed("mid_block_scale_factor", 1);
  config.fixed("act_fn", "silu");
  config.fixed("transformer_layers_per_block", 1);
  config.fixed("dual_cross_attention", false);
  config.fixed("resnet_time_scale_shift", "default");
  config.fixed("resnet_skip_time_act", false);
  config.fixed("resnet_out_scale_factor", 1);
  config.fixed("time_embedding_type", "positional");
  config.fixed("conv_in_kernel", 3);
  config.fixed("conv_out_kernel", 3);
  config.fixed("attention_type", "default");
  config.fixed("class_embeddings_concat", false);
  for (const char* key :
       {"reverse_transformer_layers_per_block", "encoder_hid_dim", "encoder_hid_dim_type", "num_attention_heads",
        "class_embed_type", "addition_embed_type", "num_class_embeds", "time_embedding_dim", "time_embedding_act_fn",
        "timestep_post_act", "time_cond_proj_dim", "mid_block_only_cross_attention", "cross_attention_norm"}) {
    config.fixed(key, nullptr);
  }
  // The sizes of embeddings that the keys above turn off.
  config.pass_over(
      {"addition_time_embed_dim", "addition_embed_type_num_heads", "projection_class_embeddings_input_dim"});
  config.pass_over({"_diffusers_version", "_name_or_path", "dropout"});
  config.finish();
}

}  // namespace

UNetOptions UNetOptions::from_config(const std::string& path) {
  ModelConfig config(path);
  UNetOptions o;
  o.sample_size = config.integer("sample_size", o.sample_size);
  o.in_channels = config.integer("in_channels", o.in_channels);
  o.out_channels = config.integer("out_channels", o.out_channels);
  o.block_out_channels = config.integers("block_out_channels", o.block_out_channels);
  const size_t levels = o.block_out_channels.size();
  o.layers_per_block = per_level(config, "layers_per_block", 2, levels);
  o.heads = per_level(config, "attention_head_dim", 8, levels);
  o.cross_attention_dim = per_level(config, "cross_attention_dim", 1280, levels);
  const std::string down = "CrossAttnDownBlock2D", up = "CrossAttnUpBlock2D";
  o.down_cross =
      cross_blocks(config, "down_block_types", {down, down, down, "DownBlock2D"}, down, "DownBlock2D", levels);
  o.up_cross = cross_blocks(config, "up_block_types", {"UpBlock2D", up, up, up}, up, "UpBlock2D", levels);
  o.norm_num_groups = config.integer("norm_num_groups", o.norm_num_groups);
  o.norm_eps = config.number("norm_eps", o.norm_eps);
  o.use_linear_projection = config.flag("use_linear_projection", o.use_linear_projection);
  o.upcast_attention = config.flag("upcast_attention", o.upcast_attention);
  o.flip_sin_to_cos = config.flag("flip_sin_to_cos", o.flip_sin_to_cos);
  o.freq_shift = config.number("freq_shift", o.freq_shift);
  fix_the_rest(config);

  if (o.sample_size < 1) throw UserError(path, "sample_size", "{} is not at least 1", o.sample_size);
  require_groups(path, o.block_out_channels, o.norm_num_groups);
  for (size_t i = 0; i < levels; ++i) {
    const int64_t channels = o.block_out_channels[i];
    if (channels % o.heads[i] != 0) {
      throw UserError(path, "attention_head_dim", "{} heads do not divide {} channels", o.heads[i], channels);
    }
  }
  return o;
}

}  // namespace freeatm::models
