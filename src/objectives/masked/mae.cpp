// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/masked/mae.h"

#include <ATen/ATen.h>
#include <torch/nn/modules/container/modulelist.h>

#include "freeatm/core/error.h"
#include "freeatm/models/initialize.h"

#include "masked_recipe.h"

namespace freeatm::objectives {

using at::Tensor;

void MaeOptions::fields(config::Fields& f) {
  f("decoder_dim", decoder_dim, "channels of the decoder's tokens, a multiple of 4", config::between(4, 8192));
  f("decoder_depth", decoder_depth, "its blocks", config::between(1, 128));
  f("decoder_heads", decoder_heads, "of its attention; they divide decoder_dim", config::between(1, 256));
  f("normalise_target", normalise_target, "each patch by its own mean and deviation");
  f("target_eps", target_eps, "added to a patch's variance: flat patches stay flat", config::more_than(0));
  f("target_pixels", target_pixels, "unit: in [0, 1]; imagenet: as the encoder sees them, as in the authors' files",
    config::any_of({"unit", "imagenet"}));
  common.fields(f);
  if (!f.reading()) return;
  if (decoder_dim % 4 != 0) f.refuse("decoder_dim", format("{} is no multiple of 4", decoder_dim));
  if (decoder_dim % decoder_heads != 0)
    f.refuse("decoder_heads", format("{} does not divide decoder_dim {}", decoder_heads, decoder_dim));
}

Mae::Mae(std::shared_ptr<models::Backbone> backbone, const MaeOptions& options, uint64_t seed)
    : Masked(std::move(backbone), options.common), options_(options) {
  const int64_t dim = options.decoder_dim, side = grid_side(), prefix = this->backbone().prefix_tokens();
  decoder_embed_ = register_module("decoder_embed", torch::nn::Linear(this->backbone().channels(), dim));
  mask_token_ = register_parameter("mask_token", at::zeros({1, 1, dim}));
  decoder_pos_embed_ =
      register_parameter("decoder_pos_embed", at::zeros({1, prefix + side * side, dim}), /*requires_grad=*/false);
  decoder_pos_embed_[0].narrow(0, prefix, side * side).copy_(models::sincos_positions(side, side, dim));
  const auto blocks = register_module("decoder_blocks", torch::nn::ModuleList());
  for (int64_t i = 0; i < options.decoder_depth; ++i) {
    blocks->push_back(
        decoder_blocks_.emplace_back(std::make_shared<models::ViTBlock>(dim, options.decoder_heads, 4 * dim)));
  }
  decoder_norm_ = register_module("decoder_norm", models::vit_norm(dim));
  decoder_pred_ = register_module("decoder_pred", torch::nn::Linear(dim, 3 * patch_size() * patch_size()));
  initialize(stable_hash("decoder", seed));
}

// As the paper's: linear layers uniform by Xavier's bound, the mask token normal.
void Mae::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream random(seed, "weights");
  for (const auto& item : named_modules("", /*include_self=*/false)) {
    if (item.key().starts_with("backbone")) continue;
    if (auto* linear = item.value()->as<torch::nn::Linear>()) {
      const double bound = models::xavier_bound(linear->weight.size(1), linear->weight.size(0));
      models::fill_uniform(linear->weight, bound, random.fork(item.key()));
      linear->bias.zero_();
    }
  }
  models::fill_normal(mask_token_, 0.02, random.fork("mask_token"));
}

Masked::Reconstruction Mae::reconstruct(const Tensor& pixels, const Tensor& hidden) {
  const Tensor images = normalized(pixels);
  const Tensor tokens = backbone().embed(images);  // [B, prefix + patches, dim]
  const int64_t prefix = backbone().prefix_tokens(), batch = tokens.size(0), dim = tokens.size(2);
  // As many are visible in each picture, so that sorting needs no count: 0 before 1, each in its order.
  const Tensor visible = std::get<1>(at::sort(hidden, /*stable=*/true, /*dim=*/1, /*descending=*/false))
                             .narrow(1, 0, hidden.size(1) - hidden_patches());
  const Tensor kept = tokens.slice(1, prefix).gather(1, visible.unsqueeze(2).expand({batch, visible.size(1), dim}));
  const Tensor encoded = backbone().normed(backbone().encode(at::cat({tokens.narrow(1, 0, prefix), kept}, 1)));
  return {decode(encoded, visible), target(pixels, images)};
}

// encoded: [B, prefix + visible, dim]; visible: [B, visible], places of the patches. Returns [B, patches, 3 patch^2].
Tensor Mae::decode(const Tensor& encoded, const Tensor& visible) {
  const int64_t prefix = backbone().prefix_tokens(), batch = encoded.size(0), dim = options_.decoder_dim;
  const int64_t patches = decoder_pos_embed_.size(1) - prefix;
  const Tensor x = decoder_embed_(encoded);
  // The prefix keeps its place in front, so that one scatter puts all tokens where they belong.
  const Tensor front = at::arange(prefix, visible.options()).expand({batch, prefix});
  const Tensor places = at::cat({front, visible + prefix}, 1).unsqueeze(2).expand({batch, x.size(1), dim});
  Tensor tokens =
      mask_token_.to(x.scalar_type()).expand({batch, prefix + patches, dim}).scatter(1, places, x) + decoder_pos_embed_;
  for (const auto& block : decoder_blocks_) tokens = block->forward(tokens, {});
  return decoder_pred_(decoder_norm_(tokens.slice(1, prefix)));
}

Tensor Mae::values_of(const Tensor& pixels, const Tensor& images) const {
  return patchified(
      options_.target_pixels == "imagenet" ? images : pixels.permute({0, 3, 1, 2}).to(images.scalar_type()).div(255));
}

Mae::Scale Mae::scale_of(const Tensor& values) const {
  const auto [variance, mean] = at::var_mean(values, at::IntArrayRef{2}, /*correction=*/1, /*keepdim=*/true);
  return {mean, (variance + options_.target_eps).sqrt()};
}

Tensor Mae::target(const Tensor& pixels, const Tensor& images) const {
  const at::NoGradGuard no_grad;
  Tensor values = values_of(pixels, images);
  if (!options_.normalise_target) return values;
  const auto [mean, deviation] = scale_of(values);
  return (values - mean) / deviation;
}

Tensor Mae::as_unit(const Tensor& values, const Tensor& pixels) {
  Tensor unit = values;
  if (options_.normalise_target) {
    const auto [mean, deviation] = scale_of(values_of(pixels, normalized(pixels)));
    unit = values * deviation + mean;
  }
  return options_.target_pixels == "imagenet" ? denormalized(unit) : unit;
}

Tensor Mae::patch_losses(const Reconstruction& both) const {
  return (both.predicted.to(both.target.scalar_type()) - both.target).square().mean(2);
}

std::unique_ptr<Recipe> mae_recipe() { return std::make_unique<MaskedRecipe<Mae, MaeOptions>>(); }

}  // namespace freeatm::objectives
