// SPDX-License-Identifier: Apache-2.0
// finetune task=detection: pictures with boxes and masks -> a detector.
#include <utility>

#include "freeatm/data/detection.h"
#include "freeatm/evaluation/detection_quality.h"
#include "freeatm/objectives/detection/trained.h"

#include "finetune_task.h"

namespace freeatm::commands {
namespace {

class DetectionTask final : public FinetuneTask {
 public:
  void fields(config::Fields& f) override {
    f.group("objective", options_);
    f.group("score", score_);
  }

  std::unique_ptr<data::Dataset> annotated(std::unique_ptr<data::Dataset> dataset,
                                           const std::vector<std::string>& classes) const override {
    return data::with_phrase_objects(std::move(dataset), classes);
  }

  void settle(const data::Dataset& train, const std::string& root) override { options_.require_fit(train, root); }

  void fit(models::ModelOptions& model) const override { options_.fit(model); }

  std::shared_ptr<training::Objective> make(const objectives::Pretrained* start, const models::ModelOptions& model,
                                            int64_t classes, uint64_t seed) override {
    return detection_ = start != nullptr ? objectives::detection_from(*start, classes, options_, seed)
                                         : objectives::new_detection(model, classes, options_, seed);
  }

  // Pictures of one orientation fill their batch; else half of it would be padding.
  void adjust(data::LoaderOptions& loader) const override { loader.group_by_aspect = true; }

  evaluation::Metrics judge(const evaluation::Split& split, int64_t /*batch_size*/, const fs::path& run) override {
    return evaluation::judge_detections([&](auto samples) { return detection_->detect(samples); },
                                        detection_->has_masks(), split, score_, run);
  }

 private:
  objectives::DetectionOptions options_;
  evaluation::DetectionScoreOptions score_;
  std::shared_ptr<objectives::Detection> detection_;
};

}  // namespace

std::unique_ptr<FinetuneTask> detection_task() { return std::make_unique<DetectionTask>(); }

}  // namespace freeatm::commands
