// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/segmentation_metrics.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/vision/boundary.h"

namespace freeatm::evaluation {
namespace {

using vision::LabelMap;

std::optional<double> share_of(int64_t part, int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

/// Over the classes that have a value; none where none has.
std::optional<double> mean_where_known(const std::vector<ClassScores>& classes,
                                       std::optional<double> ClassScores::*score) {
  double sum = 0;
  int64_t count = 0;
  for (const ClassScores& one : classes) {
    if (one.*score) sum += *(one.*score), ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace

std::optional<uint8_t> unknown_label(const LabelMap& map, int64_t classes) {
  uint8_t next = 0;  // to the greatest label: that to kIgnored is 0
  for (const uint8_t label : map.labels) next = std::max(next, static_cast<uint8_t>(label + 1));
  if (next <= classes) return std::nullopt;
  uint8_t least = LabelMap::kIgnored;
  for (const uint8_t label : map.labels) {
    if (label >= classes) least = std::min(least, label);
  }
  return least;
}

SegmentationMetrics::Pairs::Pairs() : counts_(256 * kRow) {}

// Maps are made of regions: most eights of pixels are one pair.
void SegmentationMetrics::Pairs::add(const std::vector<uint8_t>& truth, const std::vector<uint8_t>& prediction) {
  constexpr size_t kGroup = 8;
  constexpr uint64_t kEach = 0x0101010101010101;
  size_t i = 0;
  for (; i + kGroup <= truth.size(); i += kGroup) {
    uint64_t true_group, predicted_group;
    std::memcpy(&true_group, &truth[i], kGroup);
    std::memcpy(&predicted_group, &prediction[i], kGroup);
    if (true_group == kEach * truth[i] && predicted_group == kEach * prediction[i]) {
      counts_[place(truth[i], prediction[i])] += kGroup;
    } else {
      for (size_t k = i; k < i + kGroup; ++k) ++counts_[place(truth[k], prediction[k])];
    }
  }
  for (; i < truth.size(); ++i) ++counts_[place(truth[i], prediction[i])];
}

void SegmentationMetrics::Pairs::merge(const Pairs& other) {
  std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus());
}

SegmentationMetrics::SegmentationMetrics(int64_t classes, bool boundary) : classes_(classes) {
  FREEATM_CHECK(classes >= 1 && classes <= LabelMap::kIgnored, "{} classes", classes);
  if (boundary) boundaries_.emplace();
}

void SegmentationMetrics::add(const LabelMap& truth, const LabelMap& prediction) {
  FREEATM_CHECK(truth.height == prediction.height && truth.width == prediction.width, "a prediction of {}x{} for {}x{}",
                prediction.width, prediction.height, truth.width, truth.height);
  const auto unknown = unknown_label(truth, classes_);
  FREEATM_CHECK(!unknown, "the truth has {}, which is none of {} classes", int{*unknown}, classes_);
  ++pictures_;
  pixels_.add(truth.labels, prediction.labels);
  if (!boundaries_) return;
  LabelMap judged = prediction;
  const uint8_t* const true_labels = truth.labels.data();
  uint8_t* const labels = judged.labels.data();
  for (int64_t i = 0; i < std::ssize(truth.labels); ++i)
    labels[i] = true_labels[i] == LabelMap::kIgnored ? LabelMap::kIgnored : labels[i];
  const int distance = vision::boundary_distance(truth.height, truth.width);
  boundaries_->add(vision::class_boundaries(truth, distance).labels, vision::class_boundaries(judged, distance).labels);
}

void SegmentationMetrics::merge(const SegmentationMetrics& other) {
  FREEATM_CHECK(classes_ == other.classes_ && boundaries_.has_value() == other.boundaries_.has_value(),
                "parts of {} and of {} classes", classes_, other.classes_);
  pictures_ += other.pictures_;
  pixels_.merge(other.pixels_);
  if (boundaries_) boundaries_->merge(*other.boundaries_);
}

SegmentationResult SegmentationMetrics::result() const {
  SegmentationResult result;
  result.pictures = pictures_;
  const auto size = static_cast<size_t>(classes_);
  result.confusion.assign(size, std::vector<int64_t>(size));
  result.no_class.assign(size, 0);
  result.classes.resize(size);
  std::vector<int64_t> true_pixels(size), predicted_pixels(size);
  int64_t right = 0;
  for (int64_t t = 0; t < classes_; ++t) {
    for (int64_t p = 0; p < 256; ++p) {
      const int64_t count = pixels_.of(t, p);
      true_pixels[t] += count;
      if (p < classes_) {
        result.confusion[t][p] = count;
        predicted_pixels[p] += count;
      } else {
        result.no_class[t] += count;
      }
    }
    right += result.confusion[t][t];
    result.pixels += true_pixels[t];
  }
  for (int64_t k = 0; k < classes_; ++k) {
    const int64_t both = result.confusion[k][k];
    ClassScores& scores = result.classes[k];
    scores.iou = share_of(both, true_pixels[k] + predicted_pixels[k] - both);
    scores.accuracy = share_of(both, true_pixels[k]);
    if (true_pixels[k] > 0)
      result.frequency_weighted_iou +=
          *scores.iou * static_cast<double>(true_pixels[k]) / static_cast<double>(result.pixels);
    if (!boundaries_) continue;
    int64_t either = -boundaries_->of(k, k);
    for (int64_t other = 0; other < 256; ++other) either += boundaries_->of(k, other) + boundaries_->of(other, k);
    scores.boundary_iou = share_of(boundaries_->of(k, k), either);
  }
  result.pixel_accuracy = share_of(right, result.pixels).value_or(0);
  result.mean_iou = mean_where_known(result.classes, &ClassScores::iou).value_or(0);
  result.mean_accuracy = mean_where_known(result.classes, &ClassScores::accuracy).value_or(0);
  result.mean_boundary_iou = mean_where_known(result.classes, &ClassScores::boundary_iou);
  return result;
}

Metrics SegmentationResult::metrics(const std::vector<std::string>& class_names) const {
  Metrics rows{{"mean_iou", mean_iou},
               {"pixel_accuracy", pixel_accuracy},
               {"mean_accuracy", mean_accuracy},
               {"frequency_weighted_iou", frequency_weighted_iou}};
  if (mean_boundary_iou) rows.push_back({"mean_boundary_iou", *mean_boundary_iou});
  rows.push_back({"pictures", static_cast<double>(pictures)});
  rows.push_back({"pixels", static_cast<double>(pixels)});
  int64_t of_no_class = 0;
  for (const int64_t count : no_class) of_no_class += count;
  if (of_no_class > 0) rows.push_back({"pixels_of_no_class", static_cast<double>(of_no_class)});
  for (const auto& [name, score] : {std::pair("iou_by_class", &ClassScores::iou),
                                    {"accuracy_by_class", &ClassScores::accuracy},
                                    {"boundary_iou_by_class", &ClassScores::boundary_iou}}) {
    for (size_t k = 0; k < classes.size(); ++k) {
      if (classes[k].*score) rows.push_back({name, *(classes[k].*score), class_names[k]});
    }
  }
  return rows;
}

void write_confusion(const fs::path& file, const std::vector<std::string>& class_names,
                     const SegmentationResult& result) {
  const nlohmann::ordered_json json{
      {"classes", class_names}, {"counts", result.confusion}, {"no_class", result.no_class}};
  write_file(file, json.dump() + "\n");
}

}  // namespace freeatm::evaluation
