// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/segmentation/segmentation.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/decayed_groups.h"
#include "freeatm/objectives/drop_path.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr int64_t kIgnored = vision::LabelMap::kIgnored;
constexpr int64_t kObservedStride = 8;

Tensor tensor_of(vision::LabelMap&& map) {
  auto* labels = new std::vector<uint8_t>(std::move(map.labels));
  return at::from_blob(
      labels->data(), {map.height, map.width}, [labels](void*) { delete labels; }, at::kByte);
}

/// The mean over the labelled pixels; 0 where there are none.
Tensor pixel_loss(const Tensor& logits, const Tensor& labels, const Tensor& count) {
  const Tensor sum = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, kIgnored);
  return sum / count.clamp_min(1);
}

bool has_label(const vision::LabelMap& map) {
  return std::ranges::any_of(map.labels, [](uint8_t label) { return label != vision::LabelMap::kIgnored; });
}

}  // namespace

void SegmentationOptions::fields(config::Fields& f) {
  views.fields(f);
  model.fields(f);
  f("auxiliary_weight", auxiliary_weight, "of the auxiliary head's loss", config::between(0, 100));
  layer_fields(f, layer_decay, drop_path);
  f.group("test", test);
}

void SegmentationOptions::require_fit(const data::Dataset& dataset, const std::string& root) const {
  constexpr int64_t kLooked = 100;  // pictures, for one with a label
  RandomStream random(0, "look");
  bool has_maps = false;
  for (int64_t i = 0; i < std::min(dataset.size(), kLooked); ++i) {
    const data::Sample sample = dataset.get(i, random);
    has_maps |= !sample.label_map.empty();
    if (has_label(sample.label_map)) return;
  }
  throw UserError(root, "data.root", "has no {} in its first {} pictures",
                  has_maps ? "labelled pixel" : "map of classes", std::min(dataset.size(), kLooked));
}

Segmentation::Segmentation(std::shared_ptr<models::Backbone> backbone, int64_t classes,
                           const SegmentationOptions& options, uint64_t seed)
    : options_(options), side_unit_(backbone->as<models::ViT>() != nullptr ? backbone->levels().back().stride : 1) {
  for (Tensor& parameter : backbone->parameters()) parameter.requires_grad_(true);
  path_rates_ = drop_path_rates(*backbone, options.drop_path);
  segmenter_ = std::make_shared<models::Segmenter>(std::move(backbone), classes, options.model, seed);
  for (const auto& child : segmenter_->named_children()) register_module(child.key(), child.value());
}

data::View Segmentation::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  SegmentationView drawn = draw_segmentation_view(options_.views, sample.image, sample.label_map, random);
  data::View view{{"pixels", data::pixels(std::move(drawn.image))}, {"labels", tensor_of(std::move(drawn.map))}};
  view["dropout_seeds"] = at::scalar_tensor(static_cast<int64_t>(random.fork("dropout").next_u64()), at::kLong);
  if (!path_rates_.empty()) view["paths"] = models::draw_path_scales(path_rates_, random.fork("paths"));
  return view;
}

training::Counts Segmentation::counts(const data::Batch& batch) const {
  const int64_t count = batch["labels"].ne(kIgnored).sum().item<int64_t>();
  training::Counts counts{{"cross_entropy", count}};
  if (segmenter_->has_auxiliary()) counts["auxiliary"] = count;
  return counts;
}

training::Losses Segmentation::losses(const data::Batch& batch) {
  const Tensor labels = batch["labels"].to(at::kLong), labelled = labels.ne(kIgnored);
  const Tensor count = labelled.sum();
  const Tensor images = normalized_(batch["pixels"], segmenter_->parameters().back().scalar_type());
  const auto logits = segmenter_->forward(images, batch.find("paths"), batch.find("dropout_seeds"));
  training::Losses out{.terms = {{"cross_entropy", pixel_loss(logits.out, labels, count), count}}};
  if (logits.auxiliary.defined()) {
    const Tensor loss = options_.auxiliary_weight * pixel_loss(logits.auxiliary, labels, count);
    out.terms.push_back({"auxiliary", loss, count});
  }
  const auto some = [](const Tensor& pixels) {
    const int64_t rank = pixels.dim(), half = kObservedStride / 2;
    return pixels.slice(rank - 2, half, std::nullopt, kObservedStride)
        .slice(rank - 1, half, std::nullopt, kObservedStride);
  };
  const Tensor is_right = some(logits.out.detach()).argmax(1).eq(some(labels)), asked = some(labelled);
  out.observed.push_back({"pixel_accuracy", is_right.sum().to(at::kFloat) / asked.sum().to(at::kFloat)});
  return out;
}

std::vector<training::ParameterGroup> Segmentation::parameter_groups() {
  return decayed_groups(*this, segmenter_->backbone(), options_.layer_decay);
}

Tensor Segmentation::logits(const Tensor& pixels) {
  const Tensor first = segmenter_->parameters().back();
  Tensor images = normalized_(pixels.to(first.device()), first.scalar_type());  // [B, 3, h, w]
  const int64_t height = images.size(2), width = images.size(3);
  const auto missing = [&](int64_t side) { return (side_unit_ - side % side_unit_) % side_unit_; };
  if (missing(height) + missing(width) > 0)
    images = at::constant_pad_nd(images, {0, missing(width), 0, missing(height)});
  return segmenter_->forward(images).out.slice(2, 0, height).slice(3, 0, width);
}

std::vector<vision::LabelMap> Segmentation::segment(std::span<const data::Sample> samples) {
  const at::NoGradGuard no_grad;
  std::vector<vision::LabelMap> maps;
  for (const data::Sample& sample : samples) {
    const PictureSide base = base_size(options_.views, sample.image.height, sample.image.width);
    maps.push_back(segment_picture([this](const Tensor& pixels) { return logits(pixels); }, sample.image, base.height,
                                   base.width, options_.test));
  }
  return maps;
}

}  // namespace freeatm::objectives
