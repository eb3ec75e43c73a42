// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/classification.h"

#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/nn/modules/container/sequential.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"
#include "freeatm/models/initialize.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

// A crop's least area where `min_scale` leaves it open. Of a scene at most a tenth of each side is lost.
constexpr double kLeastOfOneThing = 0.35, kLeastOfScene = 0.8;
constexpr vision::Range kRatio{3.0 / 4, 4.0 / 3};  // torchvision's

}  // namespace

void ClassificationOptions::fields(config::Fields& f) {
  f("loss", loss, "cross_entropy: one label a picture; binary_cross_entropy: any number; auto: as the data has them",
    config::any_of({"auto", "cross_entropy", "binary_cross_entropy"}));
  f("min_scale", min_scale,
    "a crop's least area, as a fraction of the picture's; null: .35, with any number of labels .8",
    config::between(0.01, 1));
  f.group("augment", augment);
}

ClassificationOptions ClassificationOptions::settled_for(const data::Dataset& dataset, const std::string& root) const {
  if (dataset.class_names().empty()) {
    throw UserError(
        root, "data.root",
        "has no labels: an image folder, <split>/<class>/*.png, or COCO's instances_<split>.json is wanted");
  }
  const char* fitting = dataset.is_multi_label() ? "binary_cross_entropy" : "cross_entropy";
  if (loss != "auto" && loss != fitting) {
    throw UserError(root, "objective.loss", "{} does not fit: its pictures have {}; {} does", loss,
                    dataset.is_multi_label() ? "any number of labels" : "one label each", fitting);
  }
  ClassificationOptions settled = *this;
  settled.loss = fitting;
  if (!min_scale) settled.min_scale = dataset.is_multi_label() ? kLeastOfScene : kLeastOfOneThing;
  return settled;
}

Classification::Classification(std::shared_ptr<models::Backbone> backbone, int64_t classes,
                               const ClassificationOptions& options, uint64_t seed)
    : options_(options), classes_(classes), backbone_(std::move(backbone)) {
  FREEATM_CHECK(options.loss != "auto" && options.min_scale, "options that are not settled");
  register_module("backbone", backbone_);
  head_ = register_module("head", torch::nn::Linear(backbone_->channels(), classes));
  torch::nn::Sequential holder(head_);  // `initialize` sees what a module holds, not the module itself
  models::initialize(*holder, stable_hash("head", seed));
}

data::View Classification::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  RandomStream for_crop = random.fork("crop"), for_view = random.fork("view");
  const vision::Image& image = sample.image;
  const double own_ratio = static_cast<double>(image.width) / image.height;
  const vision::Range ratio = options_.is_multi_label() ? vision::Range{own_ratio, own_ratio} : kRatio;
  const vision::Box crop =
      vision::random_resized_crop_box(image.height, image.width, {*options_.min_scale, 1.0}, ratio, for_crop);
  Tensor target = at::scalar_tensor(sample.label, at::kLong);
  if (options_.is_multi_label()) {
    target = at::zeros({classes_});
    for (const int64_t label : sample.labels) target[label] = 1;
  }
  return {{"image", data::pixels(vision::augment(image, {}, crop, options_.augment, for_view).image)},
          {"target", std::move(target)}};
}

Tensor Classification::forward(const Tensor& pixels) {
  return head_->forward(backbone_->forward(models::normalized(pixels, head_->weight.scalar_type())));
}

training::Losses Classification::losses(const data::Batch& batch) {
  const Tensor logits = forward(batch["image"]), &target = batch["target"];
  if (options_.is_multi_label()) {
    const Tensor right = logits.gt(0).eq(target).all(1);
    return {.terms = {{"binary_cross_entropy",
                       at::binary_cross_entropy_with_logits(logits, target.to(logits.scalar_type()))}},
            .observed = {{"accuracy", right.to(at::kFloat).mean()}}};
  }
  const Tensor right = logits.argmax(1).eq(target);
  return {.terms = {{"cross_entropy", at::cross_entropy_loss(logits, target)}},
          .observed = {{"accuracy", right.to(at::kFloat).mean()}}};
}

Tensor Classification::logits(std::span<const data::Sample> samples) {
  const at::NoGradGuard no_grad;
  const int side = static_cast<int>(options_.augment.size);
  std::vector<Tensor> pictures;
  for (const data::Sample& sample : samples) {
    pictures.push_back(data::pixels(options_.is_multi_label() ? vision::resize(sample.image, side, side)
                                                              : vision::center_square(sample.image, side)));
  }
  return forward(at::stack(pictures).to(head_->weight.device()));
}

}  // namespace freeatm::objectives
