// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/evaluation/dense_probe.h"

#include "frozen_task.h"

namespace freeatm::commands {
namespace {

struct DenseTaskOptions {
  FrozenTaskOptions frozen;
  evaluation::DenseProbeOptions dense;
  void fields(config::Fields& f) {
    frozen.fields(f);
    f.group("dense", dense);
  }
};

}  // namespace

Metrics evaluate_dense(const config::Composed& composed) {
  const auto options = config::read<DenseTaskOptions>(composed);
  const FrozenTaskOptions& frozen = options.frozen;
  const FrozenTask task(frozen, [&](const std::string& split) { return data::open_coco(frozen.data.root, split); });
  return task.run([&](evaluation::FrozenBackbone& backbone, const std::string& label) {
    const auto train =
        extract_grids(backbone, task.train(), frozen.features, {}, label + ": " + frozen.data.train_split);
    const auto probe = evaluation::train_dense_probe(train, options.dense, task.seed(), label + ": dense");
    Metrics metrics;
    for (const FrozenTask::Split& split : task.splits()) {
      const auto test =
          extract_grids(backbone, *split.dataset, frozen.features, frozen.data.limit, label + ": " + split.name);
      append(metrics, evaluation::segmentation_metrics(confusion(probe.head, test), test.class_names),
             split.name + "_");
    }
    metrics.push_back({"learning_rate", probe.learning_rate});
    for (size_t i = 0; i < probe.holdout_scores.size(); ++i)
      metrics.push_back({format("holdout_by_rate.{}", options.dense.learning_rates[i]), probe.holdout_scores[i]});
    return metrics;
  });
}

}  // namespace freeatm::commands
