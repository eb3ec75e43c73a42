// SPDX-License-Identifier: Apache-2.0
// What a task adds to finetuning; finetune.cpp has what all share.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/metrics.h"
#include "freeatm/evaluation/splits.h"
#include "freeatm/objectives/trained_models.h"
#include "freeatm/training/objective.h"

namespace freeatm::commands {

class FinetuneTask {
 public:
  virtual ~FinetuneTask() = default;
  virtual void fields(config::Fields& f) = 0;
  /// Whether samples need maps of classes (data::Sample::label_map).
  virtual bool wants_label_maps() const { return false; }
  /// Samples without annotations as samples with such as the task learns from; by default as they are.
  ///   classes: those of the data that are judged
  virtual std::unique_ptr<data::Dataset> annotated(std::unique_ptr<data::Dataset> dataset,
                                                   const std::vector<std::string>& /*classes*/) const {
    return dataset;
  }
  /// Options as the training data ask for them. Throws UserError where they do not fit.
  virtual void settle(const data::Dataset& train, const std::string& root) = 0;
  /// Makes the model one for the task's pictures.
  virtual void fit(models::ModelOptions& model) const = 0;
  /// What is trained.
  ///   start: none: first weights
  virtual std::shared_ptr<training::Objective> make(const objectives::Pretrained* start,
                                                    const models::ModelOptions& model, int64_t classes,
                                                    uint64_t seed) = 0;
  /// What is right for this task beside the user's loader options.
  virtual void adjust(data::LoaderOptions& /*loader*/) const {}
  /// What the trained objective, in evaluation mode, makes of a split. May leave files in the run folder.
  virtual evaluation::Metrics judge(const evaluation::Split& split, int64_t batch_size, const fs::path& run) = 0;
};

std::unique_ptr<FinetuneTask> classification_task();
std::unique_ptr<FinetuneTask> detection_task();
std::unique_ptr<FinetuneTask> segmentation_task();

}  // namespace freeatm::commands
