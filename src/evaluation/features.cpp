// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/features.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/pixels.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::evaluation {
namespace {

std::vector<at::Tensor> copies_of_state(const models::Backbone& backbone) {
  std::vector<at::Tensor> copies;
  for (const auto& tensor : backbone.parameters()) copies.push_back(tensor.detach().clone());
  for (const auto& tensor : backbone.buffers()) copies.push_back(tensor.clone());
  return copies;
}

at::Tensor labels_of(std::span<const data::Sample> samples, bool is_multi_label, int64_t classes) {
  const auto count = static_cast<int64_t>(samples.size());
  at::Tensor labels = is_multi_label ? at::zeros({count, classes}) : at::zeros({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    if (is_multi_label) {
      for (const int64_t label : samples[i].labels) labels[i][label] = 1;
    } else {
      if (samples[i].label < 0) throw UserError("", "data.root", "picture {} has no label", samples[i].key);
      labels[i] = samples[i].label;
    }
  }
  return labels;
}

}  // namespace

void FeatureOptions::fields(config::Fields& f) {
  f("image_size", image_size, "side of the pictures that the backbone sees", config::between(8, 4096));
  f("batch_size", batch_size, "pictures at once", config::at_least(1));
}

FrozenBackbone::FrozenBackbone(models::Backbone& backbone, at::Device device)
    : backbone_(backbone), device_(device), was_training_(backbone.is_training()), before_(copies_of_state(backbone)) {
  backbone_.eval();
}

FrozenBackbone::~FrozenBackbone() { backbone_.train(was_training_); }

at::Tensor FrozenBackbone::pooled(const at::Tensor& pictures) {
  const at::NoGradGuard no_grad;
  return backbone_.forward(models::normalized(pictures.to(device_))).to(at::kFloat);
}

at::Tensor FrozenBackbone::grid(const at::Tensor& pictures) {
  const at::NoGradGuard no_grad;
  return backbone_.forward_features(models::normalized(pictures.to(device_))).to(at::kFloat);
}

void FrozenBackbone::require_unchanged() const {
  const auto now = copies_of_state(backbone_);
  for (size_t i = 0; i < now.size(); ++i) {
    FREEATM_CHECK(now[i].equal(before_[i]), "tensor {} of the backbone changed while it was judged", i);
  }
}

at::Tensor probe_picture(const vision::Image& image, int64_t side, bool is_multi_label) {
  const auto to = static_cast<int>(side);
  return data::pixels(is_multi_label ? vision::resize(image, to, to) : vision::center_square(image, to));
}

void for_each_batch(const data::Dataset& dataset, std::optional<int64_t> limit, int64_t batch_size,
                    const std::string& label, const std::function<void(std::span<const data::Sample>)>& use) {
  const int64_t count = std::min(dataset.size(), limit.value_or(dataset.size()));
  Progress progress(label, count, "pictures");
  RandomStream random(0, "evaluate");  // plain datasets draw nothing
  for (int64_t begin = 0; begin < count; begin += batch_size) {
    stop_if_signalled();
    std::vector<data::Sample> samples;
    for (int64_t i = begin; i < std::min(begin + batch_size, count); ++i)
      samples.push_back(dataset.get(i * dataset.size() / count, random));
    use(samples);
    progress.advance(static_cast<int64_t>(samples.size()));
  }
}

LabelledFeatures extract_features(FrozenBackbone& backbone, const data::Dataset& dataset, const FeatureOptions& options,
                                  std::optional<int64_t> limit, const std::string& label, bool mirrored) {
  LabelledFeatures out{{}, {}, dataset.class_names()};
  const bool is_multi_label = dataset.is_multi_label();
  if (out.class_names.empty())
    throw UserError("", "data.root", "has no labels: an image folder or COCO's instances do");
  std::vector<at::Tensor> features, labels;
  for_each_batch(dataset, limit, options.batch_size, label, [&](std::span<const data::Sample> samples) {
    std::vector<at::Tensor> pictures;
    for (const data::Sample& sample : samples)
      pictures.push_back(probe_picture(sample.image, options.image_size, is_multi_label));
    const at::Tensor batch = at::stack(pictures);
    features.push_back(backbone.pooled(mirrored ? batch.flip({2}) : batch));
    labels.push_back(labels_of(samples, is_multi_label, out.classes()));
  });
  out.features = at::cat(features);
  out.labels = at::cat(labels).to(backbone.device());
  return out;
}

ChannelStatistics channel_statistics(const at::Tensor& features) {
  std::vector<int64_t> others{0};
  for (int64_t dim = 2; dim < features.dim(); ++dim) others.push_back(dim);
  const auto [variance, mean] = at::var_mean(features, others, /*correction=*/0);
  const at::Tensor deviation = variance.sqrt();
  return {mean, at::where(deviation > 1e-6, deviation, at::ones_like(deviation))};
}

}  // namespace freeatm::evaluation
