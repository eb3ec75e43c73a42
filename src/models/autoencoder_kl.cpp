// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/autoencoder_kl.h"

#include <array>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/models/model_config.h"

#include "autoencoder_blocks.h"
#include "config_checks.h"

namespace freeatm::models {

AutoencoderOptions AutoencoderOptions::from_config(const std::string& path) {
  ModelConfig config(path);
  AutoencoderOptions o;
  o.in_channels = config.positive("in_channels", o.in_channels);
  o.out_channels = config.positive("out_channels", o.out_channels);
  o.latent_channels = config.positive("latent_channels", o.latent_channels);
  o.block_out_channels = config.integers("block_out_channels", o.block_out_channels);
  o.layers_per_block = config.positive("layers_per_block", o.layers_per_block);
  o.norm_num_groups = config.positive("norm_num_groups", o.norm_num_groups);
  o.mid_block_add_attention = config.flag("mid_block_add_attention", o.mid_block_add_attention);
  o.use_quant_conv = config.flag("use_quant_conv", o.use_quant_conv);
  o.use_post_quant_conv = config.flag("use_post_quant_conv", o.use_post_quant_conv);
  o.scaling_factor = config.number("scaling_factor", o.scaling_factor);
  block_types(config, "down_block_types", {"DownEncoderBlock2D"}, {"DownEncoderBlock2D"}, o.block_out_channels.size());
  block_types(config, "up_block_types", {"UpDecoderBlock2D"}, {"UpDecoderBlock2D"}, o.block_out_channels.size());
  config.fixed("_class_name", "AutoencoderKL");
  require_silu(config);
  for (const char* key : {"shift_factor", "latents_mean", "latents_std"}) config.fixed(key, nullptr);
  config.pass_over({"sample_size", "force_upcast"});  // the size of tiles; text-to-image of SD 1 and 2 does not obey it
  config.pass_over({"_diffusers_version", "_name_or_path"});
  config.finish();

  require_groups(path, o.block_out_channels, o.norm_num_groups);
  if (!(o.scaling_factor > 0)) throw UserError(path, "scaling_factor", "{} is not above 0", o.scaling_factor);
  return o;
}

AutoencoderKL::AutoencoderKL(const AutoencoderOptions& options) : options_(options) {
  encoder_ = register_module("encoder", std::make_shared<VaeEncoder>(options_));
  decoder_ = register_module("decoder", std::make_shared<VaeDecoder>(options_));
  const int64_t latent = options_.latent_channels;
  if (options_.use_quant_conv) quant_conv_ = register_module("quant_conv", conv1x1(2 * latent, 2 * latent).ptr());
  if (options_.use_post_quant_conv)
    post_quant_conv_ = register_module("post_quant_conv", conv1x1(latent, latent).ptr());
}

AutoencoderKL::Latents AutoencoderKL::encode(const at::Tensor& images) {
  at::Tensor moments = encoder_->forward(images);
  if (quant_conv_) moments = quant_conv_->forward(moments);
  const auto halves = moments.chunk(2, 1);
  return {halves[0], halves[1].clamp(-30, 20)};
}

at::Tensor AutoencoderKL::decode(const at::Tensor& latents) {
  return decoder_->forward(post_quant_conv_ ? post_quant_conv_->forward(latents) : latents);
}

weights::TensorMap with_current_attention_names(const weights::TensorMap& tensors) {
  static const std::array<std::pair<std::string, std::string>, 4> kRenamed = {
      {{".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}}};
  weights::TensorMap renamed;
  for (const auto& [name, tensor] : tensors) {
    std::string current = name;
    if (name.find(".attentions.") != std::string::npos) {
      for (const auto& [legacy, today] : kRenamed) {
        const size_t at = name.find(legacy);
        if (at != std::string::npos) current = name.substr(0, at) + today + name.substr(at + legacy.size());
      }
    }
    // The oldest files hold these matrices as 1x1 convolutions.
    const bool is_matrix = current != name && tensor.dim() == 4;
    renamed[current] = is_matrix ? tensor.flatten(1) : tensor;
  }
  return renamed;
}

}  // namespace freeatm::models
