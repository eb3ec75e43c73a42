// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/masked/simmim.h"

#include <ATen/ATen.h>

#include "freeatm/core/random.h"
#include "freeatm/models/initialize.h"

#include "masked_recipe.h"

namespace freeatm::objectives {

using at::Tensor;

SimMim::SimMim(std::shared_ptr<models::Backbone> backbone, const SimMimOptions& options, uint64_t seed)
    : Masked(std::move(backbone), options.common) {
  const int64_t dim = this->backbone().channels(), values = 3 * patch_size() * patch_size();
  mask_token_ = register_parameter("mask_token", at::zeros({1, 1, dim}));
  decoder_ = register_module("decoder", torch::nn::Linear(dim, values));
  const at::NoGradGuard no_grad;
  const RandomStream random(stable_hash("decoder", seed), "weights");
  models::fill_normal(mask_token_, 0.02, random.fork("mask_token"));
  models::fill_uniform(decoder_->weight, models::xavier_bound(dim, values), random.fork("decoder"));
  decoder_->bias.zero_();
}

Masked::Reconstruction SimMim::reconstruct(const Tensor& pixels, const Tensor& hidden) {
  const Tensor images = normalized(pixels);
  const Tensor patches = backbone().patches(images);  // [B, patches, dim]
  const Tensor masked = at::where(hidden.unsqueeze(2) != 0, mask_token_.to(patches.scalar_type()), patches);
  const Tensor tokens = backbone().encode(backbone().placed(masked, backbone().grid_of(images)));
  const Tensor encoded = backbone().normed(tokens.slice(1, backbone().prefix_tokens()));
  return {decoder_(encoded), patchified(images)};
}

Tensor SimMim::patch_losses(const Reconstruction& both) const {
  return (both.predicted.to(both.target.scalar_type()) - both.target).abs().mean(2);
}

Tensor SimMim::as_unit(const Tensor& values, const Tensor& /*pixels*/) { return denormalized(values); }

std::unique_ptr<Recipe> simmim_recipe() { return std::make_unique<MaskedRecipe<SimMim, SimMimOptions>>(); }

}  // namespace freeatm::objectives
