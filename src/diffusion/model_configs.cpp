// SPDX-License-Identifier: Apache-2.0
#include "model_configs.h"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/diffusion/pipeline_writer.h"

namespace freeatm::diffusion {
namespace {

using nlohmann::json;  // its keys are sorted, as in diffusers' files

constexpr const char* kDiffusers = "0.42.1";
constexpr const char* kTransformers = "5.23.0";

std::string text_of(const json& config) { return config.dump(2) + "\n"; }

// One value for all levels is written as one; none at all is 1 each.
json per_level(const std::vector<int64_t>& values) {
  if (values.empty()) return 1;
  const bool equal = std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == values[0]; });
  return equal ? json(values[0]) : json(values);
}

json mid_block_type(models::MidBlock type) {
  if (type == models::MidBlock::kNone) return nullptr;
  return type == models::MidBlock::kResnet ? "UNetMidBlock2D" : "UNetMidBlock2DCrossAttn";
}

json cross_types(const std::vector<bool>& cross, const char* with, const char* without) {
  json types = json::array();
  for (const bool has : cross) types.push_back(has ? with : without);
  return types;
}

}  // namespace

std::string model_index(const std::string& scheduler) {
  const auto component = [](const char* library, const std::string& name) { return json::array({library, name}); };
  const json none = json::array({nullptr, nullptr});
  return text_of({{"_class_name", "StableDiffusionPipeline"},
                  {"_diffusers_version", kDiffusers},
                  {"feature_extractor", none},
                  {"image_encoder", none},
                  {"requires_safety_checker", false},
                  {"safety_checker", none},
                  {"scheduler", component("diffusers", scheduler)},
                  {"text_encoder", component("transformers", "CLIPTextModel")},
                  {"tokenizer", component("transformers", "CLIPTokenizer")},
                  {"unet", component("diffusers", "UNet2DConditionModel")},
                  {"vae", component("diffusers", "AutoencoderKL")}});
}

std::string unet_config(const models::UNetOptions& o) {
  json config = {{"_class_name", "UNet2DConditionModel"},
                 {"_diffusers_version", kDiffusers},
                 {"act_fn", "silu"},
                 {"addition_embed_type_num_heads", 64},
                 {"attention_head_dim", per_level(o.heads)},
                 {"attention_type", "default"},
                 {"block_out_channels", o.block_out_channels},
                 {"center_input_sample", o.center_input_sample},
                 {"class_embeddings_concat", false},
                 {"conv_in_kernel", o.conv_in_kernel},
                 {"conv_out_kernel", o.conv_out_kernel},
                 {"cross_attention_dim", per_level(o.cross_attention_dim)},
                 {"down_block_types", cross_types(o.down_cross, "CrossAttnDownBlock2D", "DownBlock2D")},
                 {"downsample_padding", 1},
                 {"dropout", 0.0},
                 {"dual_cross_attention", false},
                 {"flip_sin_to_cos", o.flip_sin_to_cos},
                 {"freq_shift", o.freq_shift},
                 {"in_channels", o.in_channels},
                 {"layers_per_block", per_level(o.layers_per_block)},
                 {"mid_block_scale_factor", 1},
                 {"mid_block_type", mid_block_type(o.mid_block)},
                 {"norm_eps", o.norm_eps},
                 {"norm_num_groups", o.norm_num_groups},
                 {"only_cross_attention", false},
                 {"out_channels", o.out_channels},
                 {"resnet_out_scale_factor", 1.0},
                 {"resnet_skip_time_act", false},
                 {"resnet_time_scale_shift", o.scale_shift ? "scale_shift" : "default"},
                 {"sample_size", o.sample_size},
                 {"time_embedding_dim", o.time_embedding_dim > 0 ? json(o.time_embedding_dim) : json()},
                 {"time_embedding_type", "positional"},
                 {"transformer_layers_per_block", per_level(o.transformer_layers_per_block)},
                 {"up_block_types", cross_types(o.up_cross, "CrossAttnUpBlock2D", "UpBlock2D")},
                 {"upcast_attention", o.upcast_attention},
                 {"use_linear_projection", o.use_linear_projection}};
  for (const char* key :
       {"addition_embed_type", "addition_time_embed_dim", "class_embed_type", "cross_attention_norm", "encoder_hid_dim",
        "encoder_hid_dim_type", "mid_block_only_cross_attention", "num_attention_heads", "num_class_embeds",
        "projection_class_embeddings_input_dim", "reverse_transformer_layers_per_block", "time_cond_proj_dim",
        "time_embedding_act_fn", "timestep_post_act"}) {
    config[key] = nullptr;
  }
  return text_of(config);
}

std::string vae_config(const models::AutoencoderOptions& o, int64_t sample_size) {
  const size_t levels = o.block_out_channels.size();
  return text_of({{"_class_name", "AutoencoderKL"},
                  {"_diffusers_version", kDiffusers},
                  {"act_fn", "silu"},
                  {"block_out_channels", o.block_out_channels},
                  {"down_block_types", std::vector<std::string>(levels, "DownEncoderBlock2D")},
                  {"force_upcast", true},
                  {"in_channels", o.in_channels},
                  {"latent_channels", o.latent_channels},
                  {"latents_mean", nullptr},
                  {"latents_std", nullptr},
                  {"layers_per_block", o.layers_per_block},
                  {"mid_block_add_attention", o.mid_block_add_attention},
                  {"norm_num_groups", o.norm_num_groups},
                  {"out_channels", o.out_channels},
                  {"sample_size", sample_size},
                  {"scaling_factor", o.scaling_factor},
                  {"shift_factor", nullptr},
                  {"up_block_types", std::vector<std::string>(levels, "UpDecoderBlock2D")},
                  {"use_post_quant_conv", o.use_post_quant_conv},
                  {"use_quant_conv", o.use_quant_conv}});
}

std::string text_encoder_config(const models::ClipTextConfig& c) {
  return text_of(
      {{"architectures", {"CLIPTextModel"}},
       {"attention_dropout", 0.0},
       {"bos_token_id", c.vocab_size - 2},  // a tokenizer's start and end are its last two pieces
       {"dtype", "float32"},  // whatever the file holds: transformers computes in it, diffusers' models in fp32
       {"eos_token_id", c.vocab_size - 1},
       {"hidden_act", c.hidden_act},
       {"hidden_size", c.hidden_size},
       {"initializer_factor", 1.0},
       {"initializer_range", 0.02},
       {"intermediate_size", c.intermediate_size},
       {"layer_norm_eps", c.layer_norm_eps},
       {"max_position_embeddings", c.max_position_embeddings},
       {"model_type", "clip_text_model"},
       {"num_attention_heads", c.num_attention_heads},
       {"num_hidden_layers", c.num_hidden_layers},
       {"pad_token_id", c.vocab_size - 1},
       {"projection_dim", 512},
       {"transformers_version", kTransformers},
       {"vocab_size", c.vocab_size}});
}

std::string ddim_config(const DdimOptions& o) {
  return text_of({{"_class_name", "DDIMScheduler"},
                  {"_diffusers_version", kDiffusers},
                  {"beta_end", o.noise.beta_end},
                  {"beta_schedule", o.noise.beta_schedule},
                  {"beta_start", o.noise.beta_start},
                  {"clip_sample", o.clip_sample},
                  {"clip_sample_range", o.clip_sample_range},
                  {"dynamic_thresholding_ratio", 0.995},
                  {"num_train_timesteps", o.noise.num_train_timesteps},
                  {"prediction_type", prediction_name(o.noise.prediction)},
                  {"rescale_betas_zero_snr", o.noise.rescale_betas_zero_snr},
                  {"sample_max_value", 1.0},
                  {"set_alpha_to_one", o.set_alpha_to_one},
                  {"steps_offset", o.steps_offset},
                  {"thresholding", false},
                  {"timestep_spacing", o.timestep_spacing},
                  {"trained_betas", nullptr}});
}

}  // namespace freeatm::diffusion
