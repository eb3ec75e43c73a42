// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/segmentation_quality.h"

#include <fstream>
#include <mutex>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/runtime/parallel.h"
#include "freeatm/runtime/ranks.h"

#include "segmentation_examples.h"

namespace freeatm::evaluation {
namespace {

using vision::LabelMap;

/// Throws UserError where a class's number is no byte, or means no class.
std::array<uint8_t, 256> file_numbers(const data::Dataset& pictures) {
  const auto ids = pictures.class_ids();
  const auto names = pictures.class_names();
  std::array<uint8_t, 256> numbers;
  numbers.fill(LabelMap::kIgnored);
  for (size_t k = 0; k < ids.size(); ++k) {
    if (ids[k] < 0 || ids[k] >= LabelMap::kIgnored)
      throw UserError("", "score.write_predictions",
                      "class '{}' has the number {} in the dataset's files; a PNG of predictions holds 0 to 254, so "
                      "false is wanted",
                      names[k], ids[k]);
    numbers[k] = static_cast<uint8_t>(ids[k]);
  }
  return numbers;
}

}  // namespace

void SegmentationScoreOptions::fields(config::Fields& f) {
  f("limit", limit, "pictures of a split, spread evenly; null: all", config::at_least(1));
  f("batch_size", batch_size, "pictures at once", config::at_least(1));
  f("boundary", boundary, "boundary IoU, too: of the pixels of each class that lie near its border");
  f("write_predictions", write_predictions, "predictions/<key>.png in the folder of each split");
}

SegmentationQuality::SegmentationQuality(Segment segment, const data::Dataset& pictures,
                                         const SegmentationScoreOptions& options, const fs::path& folder)
    : segment_(std::move(segment)), class_names_(pictures.class_names()), options_(options), folder_(folder) {
  if (options_.write_predictions) numbers_ = file_numbers(pictures);
  fs::create_directories(folder);
  reset();
}

SegmentationQuality::~SegmentationQuality() = default;

void SegmentationQuality::reset() {
  metrics_.emplace(std::ssize(class_names_), options_.boundary);
  examples_ = std::make_unique<SegmentationExamples>(class_names_);
  if (runtime::ranks().is_first()) fs::remove_all(folder_ / "predictions");
}

void SegmentationQuality::process(std::span<const data::Sample> samples) {
  for (const data::Sample& sample : samples) {
    if (sample.label_map.empty()) throw UserError("", "data.root", "picture {} has no map of classes", sample.key);
  }
  const auto predictions = segment_(samples);
  std::mutex mutex;
  runtime::parallel_for(0, std::ssize(samples), 1, [&](int64_t begin, int64_t end) {
    SegmentationMetrics part(std::ssize(class_names_), options_.boundary);
    for (int64_t i = begin; i < end; ++i) {
      part.add(samples[i].label_map, predictions[i]);
      if (numbers_) write(samples[i].key, predictions[i]);
    }
    const std::lock_guard lock(mutex);
    metrics_->merge(part);
  });
  for (size_t i = 0; i < samples.size(); ++i)
    examples_->add(samples[i].key, samples[i].image, samples[i].label_map, predictions[i]);
}

void SegmentationQuality::write(const std::string& key, LabelMap prediction) const {
  for (uint8_t& label : prediction.labels) label = (*numbers_)[label];
  const std::string bytes = vision::encode_label_png(prediction);
  const fs::path file = folder_ / "predictions" / (key + ".png");
  fs::create_directories(file.parent_path());
  PendingPath pending(file);
  std::ofstream out(pending.temporary(), std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw UserError(file.string(), "", "cannot be written");
  pending.commit_unsynced();  // thousands, which the next run makes anew
}

std::string SegmentationQuality::state() {
  StateBytes bytes;
  bytes(*metrics_), bytes(*examples_);
  return std::move(bytes).text();
}

void SegmentationQuality::merge(std::string state) {
  StateBytes bytes(std::move(state));
  SegmentationMetrics metrics(std::ssize(class_names_), options_.boundary);
  SegmentationExamples examples(class_names_);
  bytes(metrics), bytes(examples);
  metrics_->merge(metrics);
  examples_->merge(std::move(examples));
}

Metrics SegmentationQuality::result() {
  const SegmentationResult result = metrics_->result();
  if (result.pixels == 0) throw UserError("", "data.root", "no pixel of the pictures has a class");
  write_confusion(folder_ / "confusion.json", class_names_, result);
  examples_->write(folder_);
  return result.metrics(class_names_);
}

Metrics judge_segmentation(Segment segment, const Split& split, const SegmentationScoreOptions& options,
                           const fs::path& folder) {
  SegmentationQuality quality(std::move(segment), *split.dataset, options, folder / split.name);
  Metrics metrics = judge(quality, *split.dataset, options.limit, options.batch_size, split.name);
  if (runtime::ranks().is_first())
    write_metrics(folder / split.name, "segmentation", metrics);  // for `view`, to which each split is an evaluation
  return metrics;
}

}  // namespace freeatm::evaluation
