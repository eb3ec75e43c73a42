// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/detection_quality.h"

#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/runtime/ranks.h"

#include "detection_examples.h"

namespace freeatm::evaluation {

/// What is judged by one kind of overlap.
struct DetectionQuality::OfType {
  IouType type;
  CocoMetrics metrics;
  CocoResultWriter writer;
};

void DetectionScoreOptions::fields(config::Fields& f) {
  f("limit", limit, "pictures of a split, spread evenly; null: all", config::at_least(1));
  f("batch_size", batch_size, "pictures at once", config::at_least(1));
  f.group("coco", coco);
  f("voc", voc, "VOC's average precision of boxes, too: of 07 (11 points), 12 (the area), both or none",
    config::any_of({"none", "07", "12", "both"}));
}

DetectionQuality::DetectionQuality(Detect detect, bool has_masks, const data::Dataset& pictures,
                                   const DetectionScoreOptions& options, const fs::path& folder)
    : detect_(std::move(detect)),
      class_names_(pictures.class_names()),
      class_ids_(pictures.class_ids()),
      types_{IouType::kBox},
      options_(options),
      folder_(folder) {
  if (has_masks) types_.push_back(IouType::kMask);
  fs::create_directories(folder);
  reset();
}

DetectionQuality::~DetectionQuality() = default;

void DetectionQuality::reset() {
  parts_.clear();
  pictures_ = 0;
  const auto classes = static_cast<int64_t>(class_names_.size());
  for (const IouType type : types_) {
    parts_.emplace_back(
        new OfType{type, CocoMetrics(classes, type, options_.coco),
                   CocoResultWriter(folder_ / format("detections_{}.json", name_of(type)), type, class_ids_)});
  }
  examples_ = std::make_unique<DetectionExamples>(class_names_);
  voc_.reset();
  if (options_.voc != "none") voc_.emplace(classes, VocMetricsOptions{.metric = options_.voc});
}

void DetectionQuality::process(std::span<const data::Sample> samples) {
  const auto found = detect_(samples);
  for (size_t i = 0; i < samples.size(); ++i) {
    for (const auto& part : parts_) {
      part->metrics.add(samples[i].id, samples[i].objects, found[i]);
      part->writer.add(samples[i].id, found[i]);
    }
    if (voc_) voc_->add(samples[i].id, samples[i].objects, found[i]);
    examples_->add(samples[i], found[i]);
    ++pictures_;
  }
}

std::string DetectionQuality::state() {
  StateBytes bytes;
  for (const auto& part : parts_) {
    std::string records = part->writer.records();
    bytes(part->metrics), bytes(records);
  }
  if (voc_) bytes(*voc_);
  bytes(*examples_), bytes(pictures_);
  return std::move(bytes).text();
}

void DetectionQuality::merge(std::string state) {
  StateBytes bytes(std::move(state));
  for (const auto& part : parts_) {
    CocoMetrics metrics(std::ssize(class_names_), part->type, options_.coco);
    std::string records;
    bytes(metrics), bytes(records);
    part->metrics.merge(std::move(metrics));
    part->writer.append(records);
  }
  if (voc_) {
    VocMetrics voc(std::ssize(class_names_));
    bytes(voc);
    voc_->merge(std::move(voc));
  }
  DetectionExamples examples(class_names_);
  int64_t pictures = 0;
  bytes(examples), bytes(pictures);
  examples_->merge(std::move(examples));
  pictures_ += pictures;
}

Metrics DetectionQuality::result() {
  Metrics metrics;
  CocoFileScores scores{class_names_, {}};
  for (const auto& part : parts_) {
    part->writer.commit();
    scores.results.push_back(part->metrics.result());
    for (Metric& metric : scores.results.back().metrics(class_names_)) metrics.push_back(std::move(metric));
  }
  if (voc_) {
    for (Metric& metric : voc_->result().metrics(class_names_)) metrics.push_back(std::move(metric));
  }
  write_curves(folder_ / "pr_curves.json", scores);
  examples_->write(folder_);
  metrics.push_back({"pictures", static_cast<double>(pictures_)});
  return metrics;
}

Metrics judge_detections(Detect detect, bool has_masks, const Split& split, const DetectionScoreOptions& options,
                         const fs::path& folder) {
  DetectionQuality quality(std::move(detect), has_masks, *split.dataset, options, folder / split.name);
  Metrics metrics = judge(quality, *split.dataset, options.limit, options.batch_size, split.name);
  if (runtime::ranks().is_first())
    write_metrics(folder / split.name, "detection", metrics);  // for `view`, to which each split is an evaluation
  return metrics;
}

}  // namespace freeatm::evaluation
