// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/few_shot.h"

#include "frozen_task.h"

namespace freeatm::commands {
namespace {

struct FewShotTaskOptions {
  FrozenTaskOptions frozen;
  evaluation::FewShotOptions few_shot;
  void fields(config::Fields& f) {
    frozen.fields(f);
    f.group("few_shot", few_shot);
  }
};

}  // namespace

Metrics evaluate_few_shot(const config::Composed& composed) {
  const auto options = config::read<FewShotTaskOptions>(composed);
  const FrozenTask task(options.frozen);
  Metrics metrics = task.run([&](evaluation::FrozenBackbone& backbone, const std::string& label) {
    Metrics of_backbone;
    const auto heads =
        train_few_shot(task.train_features(backbone, label), options.few_shot, task.seed(), label + ": few shots");
    for (const FrozenTask::Split& split : task.splits())
      append(of_backbone, few_shot_accuracy(heads, task.features(backbone, split, label)), split.name + "_");
    return of_backbone;
  });
  metrics.push_back({"chance", 1.0 / static_cast<double>(task.train().class_names().size())});
  return metrics;
}

}  // namespace freeatm::commands
