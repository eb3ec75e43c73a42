// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/segmentation/segmenter.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/models/initialize.h"

#include "heads.h"

namespace freeatm::models {
namespace {

constexpr int64_t kUperNetChannels = 512;

}  // namespace

void SegmenterOptions::fields(config::Fields& f) {
  f("head", head, "fcn; upernet: all levels; linear: one layer on the last level",
    config::any_of({"fcn", "upernet", "linear"}));
  f("channels", channels, "of the head; null: 512 in upernet, a quarter of the features' in fcn",
    config::between(1, 8192));
  f("dropout", dropout, "before the last convolution", config::between(0, 0.99));
  f("auxiliary", auxiliary, "a second, small head of fcn and upernet, on the last level but one");
  f("auxiliary_channels", auxiliary_channels, "of it", config::between(1, 8192));
}

Segmenter::Segmenter(std::shared_ptr<Backbone> backbone, int64_t classes, const SegmenterOptions& options,
                     uint64_t seed)
    : classes_(classes), backbone_(std::move(backbone)), neck_(dense_levels(*backbone_, options.head == "upernet")) {
  const std::vector<LevelShape> levels = neck_->levels();
  const size_t last = levels.size() - 1, before = last == 0 ? 0 : last - 1;
  const bool has_auxiliary = options.auxiliary && options.head != "linear";
  if (has_auxiliary && last == 0)
    throw UserError("", "objective.auxiliary", "true needs a backbone of several levels; this one has one");
  if (options.head == "fcn") {
    head_ =
        fcn_head(levels[last], last, options.channels.value_or(levels[last].channels / 4), classes, options.dropout);
    if (has_auxiliary)
      auxiliary_ = fcn_head(levels[before], before, options.auxiliary_channels, classes, options.dropout);
  } else if (options.head == "upernet") {
    head_ = upernet_head(levels, options.channels.value_or(kUperNetChannels), classes, options.dropout);
    if (has_auxiliary)
      auxiliary_ = upernet_auxiliary(levels[before], before, options.auxiliary_channels, classes, options.dropout);
  } else {
    head_ = linear_head(levels[last], last, classes);
  }
  const bool is_fcn = options.head == "fcn";
  register_module("backbone", backbone_);
  if (!neck_->parameters().empty()) register_module("neck", neck_);
  register_module(is_fcn ? "classifier" : "decode_head", head_);
  if (auxiliary_) register_module(is_fcn ? "aux_classifier" : "auxiliary_head", auxiliary_);
  initialize(*neck_, stable_hash("neck", seed));
  initialize(*head_, stable_hash("head", seed));
  if (auxiliary_) initialize(*auxiliary_, stable_hash("auxiliary", seed));
}

Segmenter::Logits Segmenter::forward(const at::Tensor& images, const at::Tensor& path_scales,
                                     const at::Tensor& dropout_seeds) {
  const std::vector<at::Tensor> levels = neck_->forward(*backbone_, images, path_scales);
  const auto of_pictures = [&](DenseHead& head) {
    return at::upsample_bilinear2d(head.forward(levels, is_training() ? dropout_seeds : at::Tensor()),
                                   images.sizes().slice(2), /*align_corners=*/false);
  };
  Logits out{of_pictures(*head_), {}};
  if (auxiliary_ && is_training()) out.auxiliary = of_pictures(*auxiliary_);
  return out;
}

}  // namespace freeatm::models
