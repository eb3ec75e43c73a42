// SPDX-License-Identifier: Apache-2.0
// task=fewshot
#include "freeatm/evaluation/few_shot.h"
#include "freeatm/evaluation/frozen_task.h"

namespace freeatm::evaluation {
namespace {

class FewShotTask final : public FrozenTask {
 public:
  void fields(config::Fields& f) override { f.group("few_shot", options_); }

  Metrics measure(FrozenBackbone& backbone, const FrozenPictures& pictures, uint64_t seed,
                  const std::string& label) const override {
    const auto heads = train_few_shot(pictures.train_features(backbone, label), options_, seed, label + ": few shots");
    Metrics metrics;
    for (const auto& split : pictures.splits())
      append(metrics, few_shot_accuracy(heads, pictures.features(backbone, split, label)), split.name);
    return metrics;
  }

  Metrics beside(const FrozenPictures& pictures, uint64_t, at::Device, bool) const override {
    return {chance(pictures)};
  }

 private:
  FewShotOptions options_;
};

}  // namespace

std::unique_ptr<FrozenTask> few_shot_task() { return std::make_unique<FewShotTask>(); }

}  // namespace freeatm::evaluation
