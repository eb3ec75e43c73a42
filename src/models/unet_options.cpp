// SPDX-License-Identifier: Apache-2.0
// config.json of a UNet2DConditionModel: what is honoured, and what is refused by name (docs/diffusers-folders.md).
#include <cstdio>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
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

MidBlock mid_block(ModelConfig& config) {
  const std::string key = "mid_block_type", cross = "UNetMidBlock2DCrossAttn", plain = "UNetMidBlock2D";
  const std::string type = config.is_null(key) ? "null" : config.text(key, cross);
  if (type == "null") return MidBlock::kNone;
  if (type != cross && type != plain) {
    throw UserError(config.path(), key, "'{}' is not {}", type, one_of(std::vector<std::string>{cross, plain, "null"}));
  }
  return type == cross ? MidBlock::kCrossAttention : MidBlock::kResnet;
}

bool scale_shift(ModelConfig& config) {
  const std::string key = "resnet_time_scale_shift", value = config.text(key, "default");
  if (value != "default" && value != "scale_shift")
    throw UserError(config.path(), key, "'{}' is not default or scale_shift", value);
  return value == "scale_shift";
}

int64_t kernel_size(ModelConfig& config, const std::string& key) {
  const int64_t kernel = config.positive(key, 3);
  if (kernel % 2 == 0) throw UserError(config.path(), key, "{} is not odd", kernel);
  return kernel;
}

// Side of the latents. Configs of before diffusers 0.9 say 32 where the model was trained on 64; its pipelines read 64.
int64_t sample_size(ModelConfig& config, int64_t fallback) {
  const int64_t size = config.positive("sample_size", fallback);
  const std::string version = config.text("_diffusers_version", "");
  int major = 0, minor = 0;
  const bool is_known = std::sscanf(version.c_str(), "%d.%d", &major, &minor) == 2;
  if (!is_known || major > 0 || minor >= 9 || size >= 64) return size;
  log::warning("{}: sample_size: {} of diffusers {} is read as 64, as diffusers does", config.path(), size, version);
  return 64;
}

// What this implementation does one way only.
void fix_the_rest(ModelConfig& config) {
  config.fixed("_class_name", "UNet2DConditionModel");
  require_silu(config);
  config.fixed("only_cross_attention", false);
  config.fixed("downsample_padding", 1);
  config.fixed("mid_block_scale_factor", 1);
  config.fixed("dual_cross_attention", false);
  config.fixed("time_embedding_type", "positional");
  config.fixed("attention_type", "default");
  config.fixed("class_embeddings_concat", false);
  for (const char* key : {"reverse_transformer_layers_per_block", "encoder_hid_dim", "encoder_hid_dim_type",
                          "num_attention_heads", "class_embed_type", "addition_embed_type", "num_class_embeds",
                          "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim"}) {
    config.fixed(key, nullptr);
  }
  // The sizes of embeddings that the keys above turn off; and what block types that are refused alone obey.
  config.pass_over(
      {"addition_time_embed_dim", "addition_embed_type_num_heads", "projection_class_embeddings_input_dim"});
  config.pass_over(
      {"resnet_skip_time_act", "resnet_out_scale_factor", "cross_attention_norm", "mid_block_only_cross_attention"});
  config.pass_over({"_name_or_path", "dropout"});
  config.finish();
}

void check(const std::string& path, const UNetOptions& o) {
  require_groups(path, o.block_out_channels, o.norm_num_groups);
  if (o.block_out_channels[0] % 2 != 0)
    throw UserError(path, "block_out_channels", "{} is odd: the time has no sine for each cosine",
                    o.block_out_channels[0]);
  for (size_t i = 0; i < o.heads.size(); ++i) {
    if (o.block_out_channels[i] % o.heads[i] != 0) {
      throw UserError(path, "attention_head_dim", "{} heads do not divide {} channels", o.heads[i],
                      o.block_out_channels[i]);
    }
  }
  const auto any = [](const std::vector<bool>& flags) { return std::ranges::count(flags, true) > 0; };
  if (o.mid_block != MidBlock::kCrossAttention && !any(o.down_cross) && !any(o.up_cross))
    throw UserError(path, "down_block_types", "no block has cross-attention: captions would change nothing");
}

}  // namespace

UNetOptions UNetOptions::from_config(const std::string& path) {
  ModelConfig config(path);
  UNetOptions o;
  o.sample_size = models::sample_size(config, o.sample_size);
  o.in_channels = config.positive("in_channels", o.in_channels);
  o.out_channels = config.positive("out_channels", o.out_channels);
  o.block_out_channels = config.integers("block_out_channels", o.block_out_channels);
  const size_t levels = o.block_out_channels.size();
  o.layers_per_block = per_level(config, "layers_per_block", 2, levels);
  o.heads = per_level(config, "attention_head_dim", 8, levels);
  o.cross_attention_dim = per_level(config, "cross_attention_dim", 1280, levels);
  o.transformer_layers_per_block = per_level(config, "transformer_layers_per_block", 1, levels);
  const std::string down = "CrossAttnDownBlock2D", up = "CrossAttnUpBlock2D";
  o.down_cross =
      cross_blocks(config, "down_block_types", {down, down, down, "DownBlock2D"}, down, "DownBlock2D", levels);
  o.up_cross = cross_blocks(config, "up_block_types", {"UpBlock2D", up, up, up}, up, "UpBlock2D", levels);
  o.mid_block = models::mid_block(config);
  o.norm_num_groups = config.positive("norm_num_groups", o.norm_num_groups);
  o.norm_eps = config.number("norm_eps", o.norm_eps);
  o.use_linear_projection = config.flag("use_linear_projection", o.use_linear_projection);
  o.upcast_attention = config.flag("upcast_attention", o.upcast_attention);
  o.flip_sin_to_cos = config.flag("flip_sin_to_cos", o.flip_sin_to_cos);
  o.freq_shift = config.number("freq_shift", o.freq_shift);
  o.scale_shift = models::scale_shift(config);
  if (config.integer("time_embedding_dim", 0) != 0) o.time_embedding_dim = config.positive("time_embedding_dim", 1);
  o.conv_in_kernel = kernel_size(config, "conv_in_kernel");
  o.conv_out_kernel = kernel_size(config, "conv_out_kernel");
  o.center_input_sample = config.flag("center_input_sample", o.center_input_sample);
  fix_the_rest(config);
  check(path, o);
  return o;
}

}  // namespace freeatm::models
