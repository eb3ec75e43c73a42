// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"
#include "freeatm/evaluation/knn.h"

#include "frozen_task.h"

namespace freeatm::commands {
namespace {

struct KnnTaskOptions {
  FrozenTaskOptions frozen;
  evaluation::KnnOptions knn;
  void fields(config::Fields& f) {
    frozen.fields(f);
    f.group("knn", knn);
  }
};

/// The pictures themselves: the least that features must beat.
class RawPixels final : public models::Backbone {
 public:
  std::vector<models::LevelShape> levels() const override { return {{3, 1}}; }

 private:
  Output run(const at::Tensor& images, const at::Tensor& /*path_scales*/, const Wanted& /*wanted*/) override {
    return {images.flatten(1), {{images, 1}}};
  }
};

}  // namespace

Metrics evaluate_knn(const config::Composed& composed) {
  const auto options = config::read<KnnTaskOptions>(composed);
  const FrozenTask task(options.frozen, [&](const std::string& split) {
    auto dataset = data::open_dataset({options.frozen.data.root, options.frozen.data.layout, split});
    if (dataset->is_multi_label())
      throw UserError(options.frozen.data.root, "data.root", "its pictures have several labels; kNN needs one each");
    return dataset;
  });
  const evaluation::KnnOptions knn = options.knn.for_bank(task.train().size());
  const FrozenTask::Measure measure = [&](evaluation::FrozenBackbone& backbone, const std::string& label) {
    Metrics metrics;
    const auto bank = task.train_features(backbone, label);
    for (const FrozenTask::Split& split : task.splits())
      append(metrics, knn_accuracy(task.features(backbone, split, label), bank, knn), split.name + "_");
    return metrics;
  };
  Metrics metrics = task.run(measure);
  if (task.is_untrained()) {
    RawPixels pixels;
    evaluation::FrozenBackbone frozen(pixels, task.device());
    append(metrics, measure(frozen, "raw pixels"), "", "_raw_pixels");
  }
  metrics.push_back({"chance", 1.0 / static_cast<double>(task.train().class_names().size())});
  return metrics;
}

}  // namespace freeatm::commands
