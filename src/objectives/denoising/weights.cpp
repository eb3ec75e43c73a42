// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/denoising/weights.h"

#include <cmath>
#include <string>
#include <string_view>

#include <ATen/ATen.h>

#include "freeatm/core/random.h"
#include "freeatm/models/initialize.h"

#include "draw.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

// Matrices and convolutions have more than one dimension, norms' weights one; a bias follows its weight.
void initialize_uniformly(torch::nn::Module& module, uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream stream(seed, "weights");
  const auto parameters = module.named_parameters();
  for (const auto& item : parameters) {
    const std::string& name = item.key();
    if (!name.ends_with("weight")) continue;
    const Tensor& weight = item.value();
    const Tensor* bias = parameters.find(name.substr(0, name.size() - 6) + "bias");
    if (weight.dim() == 1) {
      weight.fill_(1);
      if (bias) bias->zero_();
      continue;
    }
    const double bound = 1 / std::sqrt(static_cast<double>(weight[0].numel()));
    models::fill_uniform(weight, bound, stream.fork(name));
    if (bias) models::fill_uniform(*bias, bound, stream.fork(name + ".bias"));
  }
}

bool ends_a_branch(std::string_view name) {
  return name.find(".conv2.") != name.npos || name.find(".proj_out.") != name.npos || name.starts_with("conv_out.");
}

double clip_deviation(std::string_view name, const models::ClipTextConfig& config) {
  const double width = static_cast<double>(config.hidden_size), layers = static_cast<double>(config.num_hidden_layers);
  if (name.find("embedding") != name.npos) return 0.02;
  if (name.find(".out_proj.") != name.npos) return 1 / std::sqrt(width);
  if (name.find(".fc1.") != name.npos) return 1 / std::sqrt(2 * width);
  return 1 / std::sqrt(2 * width * layers);
}

}  // namespace

void initialize(models::AutoencoderKL& vae, uint64_t seed) { initialize_uniformly(vae, seed); }

void initialize(models::UNet2DConditionModel& unet, uint64_t seed) {
  initialize_uniformly(unet, seed);
  const at::NoGradGuard no_grad;
  for (const auto& item : unet.named_parameters()) {
    if (ends_a_branch(item.key())) item.value().zero_();
  }
}

void initialize(models::ClipTextModelImpl& text_encoder, uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream stream(seed, "weights");
  for (const auto& item : text_encoder.named_parameters()) {
    const std::string& name = item.key();
    const Tensor& tensor = item.value();
    if (tensor.dim() == 1) {
      tensor.fill_(name.ends_with("weight") ? 1 : 0);
    } else {
      tensor.copy_(draw_normal(tensor.sizes(), stream.fork(name)) * clip_deviation(name, text_encoder.config()));
    }
  }
}

}  // namespace freeatm::objectives
