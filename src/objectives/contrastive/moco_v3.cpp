// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/moco_v3.h"

#include <cmath>
#include <numbers>
#include <utility>

#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"
#include "freeatm/models/initialize.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;
using torch::nn::BatchNorm1d;
using torch::nn::BatchNorm1dOptions;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::ReLU;
using torch::nn::Sequential;

// No bias: each layer is followed by a norm, or (the predictor's last) by the unit sphere.
Sequential two_layers(int64_t in, int64_t hidden, int64_t out) {
  return Sequential(Linear(LinearOptions(in, hidden).bias(false)), BatchNorm1d(hidden), ReLU(),
                    Linear(LinearOptions(hidden, out).bias(false)));
}

Sequential make_projector(int64_t in, int64_t hidden, int64_t out) {
  Sequential head = two_layers(in, hidden, out);
  head->push_back(BatchNorm1d(BatchNorm1dOptions(out).affine(false)));
  return head;
}

// The part of a batch that `pair` says is of this kind.
Tensor share_of(const Tensor& pairs, PairKind kind) {
  return pairs.eq(static_cast<int64_t>(kind)).to(at::kFloat).mean();
}

}  // namespace

void MocoV3Options::fields(config::Fields& f) {
  f("hidden", hidden, "width of the projector's and predictor's hidden layer", config::at_least(1));
  f("dimensions", dimensions, "of the embedding", config::at_least(2));
  f("temperature", temperature, "of the contrast", config::more_than(0));
  f("momentum", momentum, "of the momentum encoder at the start; a cosine takes it to 1", config::between(0, 1));
  f("crops", crops, "random: two random crops; mask: half of the pairs around a thing",
    config::any_of({"random", "mask"}));
  f.group("crop", crop);
  f.group("augment", augment);
}

MocoV3::MocoV3(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
               const MocoV3Options& options, uint64_t seed)
    : options_(options), backbone_(std::move(backbone)), momentum_backbone_(std::move(momentum_backbone)) {
  const int64_t channels = backbone_->channels();
  register_module("backbone", backbone_);
  projector_ = register_module("projector", make_projector(channels, options.hidden, options.dimensions));
  predictor_ = register_module("predictor", two_layers(options.dimensions, options.hidden, options.dimensions));
  register_module("momentum_backbone", momentum_backbone_);
  momentum_projector_ =
      register_module("momentum_projector", make_projector(channels, options.hidden, options.dimensions));
  models::initialize(*projector_, stable_hash("projector", seed));
  models::initialize(*predictor_, stable_hash("predictor", seed));

  const std::pair<torch::nn::Module*, torch::nn::Module*> pairs[] = {{backbone_.get(), momentum_backbone_.get()},
                                                                     {projector_.get(), momentum_projector_.get()}};
  for (const auto& [from, to] : pairs) {
    for (const Tensor& parameter : from->parameters()) trained_.push_back(parameter);
    for (Tensor& parameter : to->parameters()) following_.push_back(parameter.requires_grad_(false));
  }
  FREEATM_CHECK(trained_.size() == following_.size(), "the two backbones differ");
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < trained_.size(); ++i) following_[i].copy_(trained_[i]);
}

data::View MocoV3::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  RandomStream crops = random.fork("crops"), view1 = random.fork("view1"), view2 = random.fork("view2");
  const CropPair pair = options_.crops == "mask" ? mask_pair(sample, options_.crop, crops)
                                                 : plain_pair(sample.image, options_.crop, crops);
  return {{"view1", data::pixels(vision::augment(sample.image, {}, pair.a, options_.augment, view1).image)},
          {"view2", data::pixels(vision::augment(sample.image, {}, pair.b, options_.augment, view2).image)},
          {"pair", at::scalar_tensor(static_cast<int64_t>(pair.kind), at::kByte)}};
}

Tensor MocoV3::contrast(const Tensor& query, const Tensor& key) const {  // [B, dimensions], of length 1
  const Tensor logits = query.mm(key.t()) / options_.temperature;
  const Tensor diagonal = at::arange(query.size(0), query.options().dtype(at::kLong));
  return at::cross_entropy_loss(logits, diagonal) * (2 * options_.temperature);
}

training::Losses MocoV3::losses(const data::Batch& batch) {
  const auto unit = [](const Tensor& x) { return x / x.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12); };
  const auto dtype = trained_.front().scalar_type();
  const Tensor x1 = models::normalized(batch["view1"], dtype), x2 = models::normalized(batch["view2"], dtype);
  const Tensor q1 = unit(predictor_->forward(projector_->forward(backbone_->forward(x1))));
  const Tensor q2 = unit(predictor_->forward(projector_->forward(backbone_->forward(x2))));
  Tensor k1, k2;
  {
    const at::NoGradGuard no_grad;
    k1 = unit(momentum_projector_->forward(momentum_backbone_->forward(x1)));
    k2 = unit(momentum_projector_->forward(momentum_backbone_->forward(x2)));
  }
  training::Losses losses{.terms = {{"contrastive", contrast(q1, k2) + contrast(q2, k1)}}, .observed = {}};
  const double even = std::sqrt(
      static_cast<double>(options_.dimensions));  // a coordinate's deviation on the sphere is 1 / sqrt(dimensions)
  losses.observed.emplace_back("embedding_std", q1.detach().std(0).mean() * even);
  if (options_.crops == "mask") {
    losses.observed.emplace_back("mask_pairs", share_of(batch["pair"], PairKind::kMask));
    losses.observed.emplace_back("mask_fallbacks", share_of(batch["pair"], PairKind::kFellBack));
  }
  return losses;
}

void MocoV3::after_step(double progress) {
  const at::NoGradGuard no_grad;
  const double momentum = 1 - (1 - options_.momentum) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  at::_foreach_lerp_(following_, trained_, 1 - momentum);
}

}  // namespace freeatm::objectives
