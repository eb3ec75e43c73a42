// SPDX-License-Identifier: Apache-2.0
// finetune task=classification: labelled pictures -> a classifier.
#include <optional>
#include <utility>

#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/objectives/classification/classification.h"

#include "finetune_task.h"

namespace freeatm::commands {
namespace {

class ClassificationTask final : public FinetuneTask {
 public:
  void fields(config::Fields& f) override {
    f("global_pool", global_pool_, "of a vit: token or avg; null: as the model has it",
      config::any_of({"token", "avg"}));
    f.group("objective", options_);
  }

  void settle(const data::Dataset& train, const std::string& root) override {
    options_ = options_.settled_for(train, root);
  }

  void fit(models::ModelOptions& model) const override {
    model.fit_to_pictures(options_.augment.size, "objective.augment.size");
    model.prepare_finetuning(global_pool_);
  }

  std::shared_ptr<training::Objective> make(const objectives::Pretrained* start, const models::ModelOptions& model,
                                            int64_t classes, uint64_t seed) override {
    auto backbone = start != nullptr ? start->load(seed) : model.make(seed);
    return classifier_ = std::make_shared<objectives::Classification>(std::move(backbone), classes, options_, seed);
  }

  evaluation::Metrics judge(const evaluation::Split& split, int64_t batch_size, const fs::path& /*run*/) override {
    const evaluation::Classify classify = [&](std::span<const data::Sample> some) { return classifier_->logits(some); };
    const auto evaluator = evaluation::quality_of(classify, *split.dataset);
    return evaluation::judge(*evaluator, *split.dataset, {}, batch_size, split.name);
  }

 private:
  std::optional<std::string> global_pool_;
  objectives::ClassificationOptions options_;
  std::shared_ptr<objectives::Classification> classifier_;
};

}  // namespace

std::unique_ptr<FinetuneTask> classification_task() { return std::make_unique<ClassificationTask>(); }

}  // namespace freeatm::commands
