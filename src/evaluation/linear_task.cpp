// SPDX-License-Identifier: Apache-2.0
// task=linear
#include <optional>

#include "freeatm/core/format.h"
#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/frozen_task.h"
#include "freeatm/evaluation/linear_probe.h"

namespace freeatm::evaluation {
namespace {

Metrics head_quality(const LinearHead& head, const LabelledFeatures& test) {
  const at::Tensor logits = head.logits(test.features).to(at::kCPU, at::kDouble), labels = test.labels.cpu();
  return test.is_multi_label() ? multi_label_metrics(logits, labels, test.class_names)
                               : single_label_metrics(logits, labels, test.class_names);
}

class LinearTask final : public FrozenTask {
 public:
  void fields(config::Fields& f) override { f.group("linear", options_); }

  Metrics measure(FrozenBackbone& backbone, const FrozenPictures& pictures, uint64_t seed,
                  const std::string& label) const override {
    const LabelledFeatures train = pictures.train_features(backbone, label);
    std::optional<LabelledFeatures> mirrored;
    if (options_.flips) mirrored = pictures.train_features(backbone, label, /*mirrored=*/true);
    const LinearProbe probe =
        train_linear_probe(train, mirrored ? &*mirrored : nullptr, options_, seed, label + ": linear");
    Metrics metrics;
    for (const auto& split : pictures.splits())
      append(metrics, head_quality(probe.head, pictures.features(backbone, split, label)), split.name);
    append_rates(metrics, probe.learning_rate, options_.learning_rates, probe.holdout_scores);
    return metrics;
  }

 private:
  LinearProbeOptions options_;
};

}  // namespace

std::unique_ptr<FrozenTask> linear_task() { return std::make_unique<LinearTask>(); }

}  // namespace freeatm::evaluation
