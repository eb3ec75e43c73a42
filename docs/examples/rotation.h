// SPDX-License-Identifier: Apache-2.0
// RotNet, Gidaris et al. 2018: which way up is the picture? A whole pretraining method, as docs/adding-an-objective.md
// explains it.
#pragma once
#include <memory>
#include <utility>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/pixels.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/models/initialize.h"
#include "freeatm/objectives/recipe.h"
#include "freeatm/vision/augment.h"

namespace freeatm::objectives {

struct RotationOptions {
  double min_scale = 0.2;  // of a random crop's area
  vision::AugmentOptions augment;
  void fields(config::Fields& f) {  // the one list: reading, ranges, --help, the saved copy
    f("min_scale", min_scale, "least area of a crop, as a fraction of the picture's", config::between(0.01, 1));
    f.group("augment", augment);
  }
};

class Rotation final : public training::Objective {
 public:
  Rotation(std::shared_ptr<models::Backbone> backbone, const RotationOptions& options, uint64_t seed)
      : options_(options), backbone_(std::move(backbone)) {
    register_module("backbone", backbone_);  // the name that evaluation and finetuning look for
    head_ = register_module("head", torch::nn::Linear(backbone_->channels(), 4));
    models::initialize(*this, seed);
  }

  /// In a loader's thread: a function of the sample and the stream alone. "view": bytes [size, size, 3]; "turns": 0 to
  /// 3
  data::View prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const override {
    const auto& image = sample.image;
    const auto crop =
        vision::random_resized_crop_box(image.height, image.width, {options_.min_scale, 1}, {0.75, 4.0 / 3}, random);
    const vision::DrawnView drawn{crop, vision::draw_augmentation(options_.augment, random)};
    const at::Tensor upright = data::pixels(vision::augment(image, drawn, options_.augment));
    const int64_t turns = random.integer(4);
    return {{"view", at::rot90(upright, turns, {0, 1}).contiguous()}, {"turns", at::scalar_tensor(turns, at::kLong)}};
  }

  /// On the device, nothing waits for it: the trainer sums the terms, and logs all that is named here.
  training::Losses losses(const data::Batch& batch) override {
    const auto dtype = backbone_->parameters().front().scalar_type();
    const at::Tensor features = backbone_->forward(normalized_(batch["view"], dtype));  // [B, channels]
    const at::Tensor logits = head_->forward(features);                                 // [B, 4]
    const at::Tensor right = logits.argmax(1).eq(batch["turns"]).to(at::kFloat).mean();
    return {.terms = {{"rotation", at::cross_entropy_loss(logits, batch["turns"])}}, .observed = {{"accuracy", right}}};
  }

 private:
  RotationOptions options_;
  models::ImageNormalize normalized_;
  std::shared_ptr<models::Backbone> backbone_;
  torch::nn::Linear head_{nullptr};
};

/// What a config's `objective: {name: rotation, ...}` becomes.
class RotationRecipe final : public Recipe {
 public:
  void fields(config::Fields& f) override { options_.fields(f); }
  std::shared_ptr<training::Objective> make(const MakeBackbone& backbone, uint64_t seed) const override {
    return std::make_shared<Rotation>(backbone(), options_, seed);
  }

 private:
  RotationOptions options_;
};

}  // namespace freeatm::objectives
