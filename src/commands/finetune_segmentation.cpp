// SPDX-License-Identifier: Apache-2.0
// finetune task=segmentation: pictures with maps of classes -> a segmenter.
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/data/detection.h"
#include "freeatm/data/segmentation.h"
#include "freeatm/evaluation/segmentation_files.h"
#include "freeatm/evaluation/segmentation_quality.h"
#include "freeatm/objectives/segmentation/trained.h"

#include "finetune_task.h"

namespace freeatm::commands {
namespace {

class SegmentationTask final : public FinetuneTask {
 public:
  void fields(config::Fields& f) override {
    f.group("objective", options_);
    f.group("score", score_);
    files_.fields(f);  // evaluate's, in the same config
  }

  bool wants_label_maps() const override { return true; }

  std::unique_ptr<data::Dataset> annotated(std::unique_ptr<data::Dataset> dataset,
                                           const std::vector<std::string>& classes) const override {
    return data::with_label_maps(data::with_phrase_objects(std::move(dataset), classes));
  }

  void settle(const data::Dataset& train, const std::string& root) override {
    if (files_.predictions || files_.truth) throw UserError("", "predictions", "are judged by evaluate, not here");
    options_.require_fit(train, root);
  }

  // Positions are for the grid of a training picture; others get them resized.
  void fit(models::ModelOptions& model) const override {
    model.fit_to_pictures(options_.views.crop_size, "objective.crop_size");
    model.prepare_finetuning({});
  }

  std::shared_ptr<training::Objective> make(const objectives::Pretrained* start, const models::ModelOptions& model,
                                            int64_t classes, uint64_t seed) override {
    if (start != nullptr)
      segmentation_ = objectives::segmentation_from(*start, classes, options_, seed);
    else
      segmentation_ = std::make_shared<objectives::Segmentation>(model.make(seed), classes, options_, seed);
    return segmentation_;
  }

  // Of one picture the coarsest pooled level has one value a channel, which has no deviation to be normed by.
  void adjust(data::LoaderOptions& loader) const override {
    if (options_.model.head == "upernet" && loader.batch_size < 2)
      throw UserError("", "loader.batch_size", "{} is too small for upernet; at least 2 are wanted", loader.batch_size);
  }

  evaluation::Metrics judge(const evaluation::Split& split, int64_t /*batch_size*/, const fs::path& run) override {
    return evaluation::judge_segmentation([&](auto samples) { return segmentation_->segment(samples); }, split, score_,
                                          run);
  }

 private:
  objectives::SegmentationOptions options_;
  evaluation::SegmentationScoreOptions score_;
  evaluation::SegmentationFilesOptions files_;
  std::shared_ptr<objectives::Segmentation> segmentation_;
};

}  // namespace

std::unique_ptr<FinetuneTask> segmentation_task() { return std::make_unique<SegmentationTask>(); }

}  // namespace freeatm::commands
