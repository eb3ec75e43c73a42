// SPDX-License-Identifier: Apache-2.0
// task=knn
#include "freeatm/core/error.h"
#include "freeatm/evaluation/frozen_task.h"
#include "freeatm/evaluation/knn.h"

namespace freeatm::evaluation {
namespace {

/// The pictures themselves: the least that features must beat.
class RawPixels final : public models::Backbone {
 public:
  std::vector<models::LevelShape> levels() const override { return {{3, 1}}; }

 private:
  Output run(const at::Tensor& images, const at::Tensor& /*path_scales*/, const Wanted& /*wanted*/) override {
    return {images.flatten(1), {{images, 1}}};
  }
};

class KnnTask final : public FrozenTask {
 public:
  void fields(config::Fields& f) override { f.group("knn", options_); }

  std::unique_ptr<data::Dataset> open(const FrozenData& data, const std::string& split) const override {
    auto dataset = FrozenTask::open(data, split);
    if (dataset->is_multi_label())
      throw UserError(data.root, "data.root", "its pictures have several labels; kNN needs one each");
    return dataset;
  }

  Metrics measure(FrozenBackbone& backbone, const FrozenPictures& pictures, uint64_t /*seed*/,
                  const std::string& label) const override {
    const KnnOptions options = options_.for_bank(pictures.train().size());
    const LabelledFeatures bank = pictures.train_features(backbone, label);
    Metrics metrics;
    for (const auto& split : pictures.splits())
      append(metrics, knn_accuracy(pictures.features(backbone, split, label), bank, options), split.name);
    return metrics;
  }

  Metrics beside(const FrozenPictures& pictures, uint64_t seed, at::Device device, bool is_untrained) const override {
    RawPixels pixels;
    Metrics metrics;
    if (is_untrained) metrics = judge(*this, pixels, device, pictures, seed, "raw_pixels");
    metrics.push_back(chance(pictures));
    return metrics;
  }

 private:
  KnnOptions options_;
};

}  // namespace

std::unique_ptr<FrozenTask> knn_task() { return std::make_unique<KnnTask>(); }

}  // namespace freeatm::evaluation
