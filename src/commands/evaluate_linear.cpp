// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/linear_probe.h"

#include "frozen_task.h"

namespace freeatm::commands {
namespace {

struct LinearTaskOptions {
  FrozenTaskOptions frozen;
  evaluation::LinearProbeOptions linear;
  void fields(config::Fields& f) {
    frozen.fields(f);
    f.group("linear", linear);
  }
};

Metrics quality(const evaluation::LinearHead& head, const evaluation::LabelledFeatures& test) {
  const at::Tensor logits = head.logits(test.features).to(at::kCPU, at::kDouble), labels = test.labels.cpu();
  return test.is_multi_label() ? evaluation::multi_label_metrics(logits, labels, test.class_names)
                               : evaluation::single_label_metrics(logits, labels, test.class_names);
}

}  // namespace

Metrics evaluate_linear(const config::Composed& composed) {
  const auto options = config::read<LinearTaskOptions>(composed);
  const FrozenTask task(options.frozen);
  return task.run([&](evaluation::FrozenBackbone& backbone, const std::string& label) {
    const auto train = task.train_features(backbone, label);
    std::optional<evaluation::LabelledFeatures> mirrored;
    if (options.linear.flips) mirrored = task.train_features(backbone, label, /*mirrored=*/true);
    const auto probe =
        train_linear_probe(train, mirrored ? &*mirrored : nullptr, options.linear, task.seed(), label + ": linear");
    Metrics metrics;
    for (const FrozenTask::Split& split : task.splits())
      append(metrics, quality(probe.head, task.features(backbone, split, label)), split.name + "_");
    metrics.push_back({"learning_rate", probe.learning_rate});
    for (size_t i = 0; i < probe.holdout_scores.size(); ++i)
      metrics.push_back({format("holdout_by_rate.{}", options.linear.learning_rates[i]), probe.holdout_scores[i]});
    return metrics;
  });
}

}  // namespace freeatm::commands
