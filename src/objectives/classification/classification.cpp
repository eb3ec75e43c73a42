// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/classification/classification.h"

#include <utility>

#include <ATen/ATen.h>
#include <torch/nn/modules/container/sequential.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"
#include "freeatm/models/initialize.h"
#include "freeatm/objectives/decayed_groups.h"
#include "freeatm/objectives/drop_path.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

// A crop's least area where `min_scale` leaves it open. Of a scene at most a tenth of each side is lost.
constexpr double kLeastOfOneThing = 0.35, kLeastOfScene = 0.8;

}  // namespace

void ClassificationOptions::fields(config::Fields& f) {
  f("loss", loss, "cross_entropy: one label a picture; binary_cross_entropy: any number; auto: as the data has them",
    config::any_of({"auto", "cross_entropy", "binary_cross_entropy"}));
  f("min_scale", min_scale,
    "a crop's least area, as a fraction of the picture's; null: .35, with any number of labels .8",
    config::between(0.01, 1));
  f("label_smoothing", label_smoothing, "share of a label that is spread over all classes", config::between(0, 0.99));
  layer_fields(f, layer_decay, drop_path);
  f.group("mix", mix);
  f.group("erase", erase);
  f.group("rand_augment", rand_augment);
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
  path_rates_ = drop_path_rates(*backbone_, options.drop_path);
  register_module("backbone", backbone_);
  for (Tensor& parameter : backbone_->parameters()) parameter.requires_grad_(true);
  head_ = register_module("head", torch::nn::Linear(backbone_->channels(), classes));
  torch::nn::Sequential holder(head_);  // `initialize` sees what a module holds, not the module itself
  models::initialize(*holder, stable_hash("head", seed));
}

Tensor Classification::target_of(const data::Sample& sample) const {
  if (!options_.is_multi_label()) return at::scalar_tensor(sample.label(), at::kLong);
  Tensor target = at::zeros({classes_});
  for (const int64_t label : sample.labels) target[label] = 1;
  return target;
}

data::View Classification::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  RandomStream for_crop = random.fork("crop"), for_view = random.fork("view"), for_erasing = random.fork("erase"),
               for_operations = random.fork("rand_augment");
  const vision::Image& image = sample.image;
  const double own_ratio = static_cast<double>(image.width) / image.height;
  const vision::Range ratio = options_.is_multi_label() ? vision::Range{own_ratio, own_ratio} : vision::kCropRatio;
  const vision::Box crop =
      vision::random_resized_crop_box(image.height, image.width, {*options_.min_scale, 1.0}, ratio, for_crop);
  vision::Image seen =
      vision::augment(image, {crop, vision::draw_augmentation(options_.augment, for_view)}, options_.augment);
  vision::rand_augment(seen, options_.rand_augment, for_operations);
  maybe_erase(seen, options_.erase, for_erasing);

  data::View view{{"image", data::pixels(std::move(seen))}, {"target", target_of(sample)}};
  if (options_.mix.any()) {
    RandomStream for_mix = random.fork("mix");
    view["mix"] = draw_mix(options_.mix, options_.augment.size, options_.augment.size, for_mix).to_tensor();
  }
  if (!path_rates_.empty()) view["paths"] = models::draw_path_scales(path_rates_, random.fork("paths"));
  return view;
}

Tensor Classification::forward(const Tensor& pixels, const Tensor& mix, const Tensor& path_scales) {
  Tensor images = normalized_(pixels, head_->weight.scalar_type());
  if (mix.defined()) images = mixed_images(images, mix);
  return head_->forward(backbone_->forward(images, path_scales));
}

Tensor Classification::soft_targets(const Tensor& target, at::ScalarType dtype, const Tensor& mix) const {
  const double smoothing = options_.label_smoothing;
  const double spread = options_.is_multi_label() ? smoothing / 2 : smoothing / static_cast<double>(classes_);
  // Not one_hot, which looks at the values first.
  const Tensor hard =
      options_.is_multi_label()
          ? target.to(dtype)
          : at::zeros({target.size(0), classes_}, target.options().dtype(dtype)).scatter(1, target.unsqueeze(1), 1.0);
  const Tensor soft = hard * (1 - smoothing) + spread;
  return mix.defined() ? mixed_targets(soft, mix) : soft;
}

training::Losses Classification::losses(const data::Batch& batch) {
  const Tensor mix = batch.find("mix").defined() ? batch["mix"][0] : Tensor();
  const Tensor logits = forward(batch["image"], mix, batch.find("paths"));

  const Tensor targets = soft_targets(batch["target"], at::promote_types(logits.scalar_type(), at::kFloat), mix);
  const Tensor larger =
      mix.defined() ? at::where(mix[1].ge(0.5), batch["target"], batch["target"].flip(0)) : batch["target"];
  if (options_.is_multi_label()) {
    return {.terms = {{"binary_cross_entropy", at::binary_cross_entropy_with_logits(logits, targets)}},
            .observed = {{"accuracy", logits.gt(0).eq(larger).all(1).to(at::kFloat).mean()}}};
  }
  return {.terms = {{"cross_entropy", at::cross_entropy_loss(logits, targets)}},
          .observed = {{"accuracy", logits.argmax(1).eq(larger).to(at::kFloat).mean()}}};
}

std::vector<training::ParameterGroup> Classification::parameter_groups() {
  return decayed_groups(*this, *backbone_, options_.layer_decay);
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
