// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/features.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/loader.h"
#include "freeatm/data/pixels.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/runtime/threads.h"
#include "freeatm/vision/transforms.h"

#include "rank_states.h"

namespace freeatm::evaluation {
namespace {

std::vector<at::Tensor> copies_of_state(const models::Backbone& backbone) {
  std::vector<at::Tensor> copies;
  for (const auto& tensor : backbone.parameters()) copies.push_back(tensor.detach().clone());
  for (const auto& tensor : backbone.buffers()) copies.push_back(tensor.clone());
  return copies;
}

/// The class, or with several labels [classes] of 0 and 1.
at::Tensor label_of(const data::Sample& sample, bool is_multi_label, int64_t classes) {
  if (!is_multi_label) {
    if (sample.labels.empty()) throw UserError("", "data.root", "picture {} has no label", sample.key);
    return at::scalar_tensor(sample.label(), at::kLong);
  }
  at::Tensor labels = at::zeros({classes});
  for (const int64_t label : sample.labels) labels[label] = 1;
  return labels;
}

constexpr int64_t kMostReaders = 8;  // threads that decode; more would only wait for the backbone

}  // namespace

void FeatureOptions::fields(config::Fields& f) {
  f("image_size", image_size, "side of the pictures that the backbone sees", config::between(8, 4096));
  f("batch_size", batch_size, "pictures at once", config::at_least(1));
}

FrozenBackbone::FrozenBackbone(models::Backbone& backbone, at::Device device, std::string where)
    : backbone_(backbone),
      device_(device),
      where_(std::move(where)),
      was_training_(backbone.is_training()),
      before_(copies_of_state(backbone)) {
  backbone_.eval();
}

FrozenBackbone::~FrozenBackbone() { backbone_.train(was_training_); }

at::Tensor FrozenBackbone::pooled(const at::Tensor& pictures) {
  const at::NoGradGuard no_grad;
  return backbone_.forward(normalized_(pictures.to(device_))).to(at::kFloat);
}

at::Tensor FrozenBackbone::grid(const at::Tensor& pictures) {
  const at::NoGradGuard no_grad;
  return backbone_.forward_features(normalized_(pictures.to(device_))).to(at::kFloat);
}

void FrozenBackbone::require_unchanged() const {
  const auto now = copies_of_state(backbone_);
  for (size_t i = 0; i < now.size(); ++i) {
    const bool is_same =
        now[i].equal(before_[i]) || at::isclose(now[i], before_[i], 0, 0, /*equal_nan=*/true).all().item<bool>();
    FREEATM_CHECK(is_same, "tensor {} of the backbone changed while it was judged", i);
  }
}

at::Tensor probe_picture(const vision::Image& image, int64_t side, bool is_multi_label) {
  const auto to = static_cast<int>(side);
  return data::pixels(is_multi_label ? vision::resize(image, to, to) : vision::center_square(image, to));
}

void for_each_batch(const data::Dataset& dataset, int64_t batch_size, const std::string& label, const ReadView& view,
                    const std::function<void(const data::Batch&)>& use) {
  if (dataset.size() == 0) return;
  data::Loader loader(
      dataset, [&](data::Sample&& sample, RandomStream&, const data::BatchPlace&) { return view(std::move(sample)); },
      {.batch_size = std::min(batch_size, dataset.size()),
       .workers = std::min(runtime::cores(), kMostReaders),
       .prefetch = 2,
       .max_bad = 0,
       .shuffle = false,
       .drop_last = false},
      0);
  Progress progress(label, dataset.size(), "pictures");
  loader.start(0);
  while (const auto batch = loader.next()) {
    stop_if_signalled();
    use(*batch);
    progress.advance(batch->size);
  }
}

Range own_range(int64_t size, int64_t batch_size) {
  const runtime::Rank rank = runtime::ranks().rank();
  const int64_t batches = (size + batch_size - 1) / batch_size;
  const auto begin_of = [&](int64_t index) {
    return std::min(size, (index * batches + rank.world - 1) / rank.world * batch_size);
  };
  return {begin_of(rank.index), begin_of(rank.index + 1)};
}

data::Part own_part(const data::Dataset& dataset, int64_t batch_size) {
  const Range own = own_range(dataset.size(), batch_size);
  return {dataset, own.begin, own.end};
}

Metrics judge(Evaluator& evaluator, const data::Dataset& dataset, std::optional<int64_t> limit, int64_t batch_size,
              const std::string& label) {
  const auto keep = [](data::Sample&& sample) {
    data::View view;
    view.sample = std::move(sample);
    return view;
  };
  runtime::ranks().gather("ready");  // the first has cleared the evaluator's folder
  const data::Spread chosen(dataset, limit);
  for_each_batch(own_part(chosen, batch_size), batch_size, label, keep,
                 [&](const data::Batch& batch) { evaluator.process(batch.samples); });
  return merge_at_first(evaluator) ? evaluator.result() : Metrics{};
}

void require_finite(const at::Tensor& values, const std::string& where, const char* what, const data::Batch& batch,
                    const data::Dataset& dataset) {
  const at::Tensor bad = values.isfinite().flatten(1).all(1).logical_not().nonzero();
  if (bad.numel() == 0) return;
  const std::string key = dataset.key(batch["index"][bad[0].item<int64_t>()].item<int64_t>());
  throw UserError(where, "checkpoint",
                  "the {} of picture {} are not finite: the model overflows in fp32; are these the weights of this "
                  "model, and of a run that did not diverge?",
                  what, key);
}

LabelledFeatures extract_features(FrozenBackbone& backbone, const data::Dataset& dataset, const FeatureOptions& options,
                                  std::optional<int64_t> limit, const std::string& label, bool mirrored) {
  LabelledFeatures out{{}, {}, dataset.class_names()};
  const bool is_multi_label = dataset.is_multi_label();
  if (out.class_names.empty())
    throw UserError("", "data.root", "has no labels: an image folder or COCO's instances do");
  std::vector<at::Tensor> features, labels;
  const auto view = [&](data::Sample&& sample) -> data::View {
    const at::Tensor label_of_sample = label_of(sample, is_multi_label, out.classes());
    return {{"image", probe_picture(sample.image, options.image_size, is_multi_label)}, {"label", label_of_sample}};
  };
  const data::Spread chosen(dataset, limit);
  const data::Part own = own_part(chosen, options.batch_size);
  for_each_batch(own, options.batch_size, label, view, [&](const data::Batch& batch) {
    features.push_back(backbone.pooled(mirrored ? batch["image"].flip({2}) : batch["image"]));
    require_finite(features.back(), backbone.where(), "features", batch, own);
    labels.push_back(batch["label"]);
  });
  if (own.size() == 0) {  // rows of the others' shapes
    features.push_back(backbone.pooled(blank_picture(options)).narrow(0, 0, 0));
    labels.push_back(is_multi_label ? at::zeros({0, out.classes()}) : at::zeros({0}, at::kLong));
  }
  out.features = runtime::ranks().gather_rows(at::cat(features));
  out.labels = runtime::ranks().gather_rows(at::cat(labels).to(backbone.device()));
  return out;
}

at::Tensor blank_picture(const FeatureOptions& options) {
  return at::zeros({1, options.image_size, options.image_size, 3}, at::kByte);
}

ChannelStatistics channel_statistics(const at::Tensor& features) {
  std::vector<int64_t> others{0};
  for (int64_t dim = 2; dim < features.dim(); ++dim) others.push_back(dim);
  const auto [variance, mean] = at::var_mean(features, others, /*correction=*/0);
  const at::Tensor deviation = variance.sqrt();
  return {mean, at::where(deviation > 1e-6, deviation, at::ones_like(deviation))};
}

}  // namespace freeatm::evaluation
