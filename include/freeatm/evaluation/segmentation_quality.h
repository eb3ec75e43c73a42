// SPDX-License-Identifier: Apache-2.0
// How well a model says of each pixel what it shows.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/evaluator.h"
#include "freeatm/evaluation/segmentation_metrics.h"
#include "freeatm/evaluation/splits.h"

namespace freeatm::evaluation {

/// Each picture's classes, of the picture's size; LabelMap::kIgnored: none.
using Segment = std::function<std::vector<vision::LabelMap>(std::span<const data::Sample>)>;

/// A config's `score`.
struct SegmentationScoreOptions {
  std::optional<int64_t> limit;  // pictures of a split, spread evenly; none: all
  int64_t batch_size = 8;
  bool boundary = true;
  bool write_predictions = true;
  void fields(config::Fields& f);
};

/// The numbers of SegmentationMetrics over all pixels of the pictures.
class SegmentationQuality final : public Evaluator {
 public:
  ///   pictures: whose classes and numbers count; folder: gets confusion.json, predictions/<key>.png with the dataset's
  ///   own numbers and 255 for no class, and the worst pictures as examples.json
  /// Throws UserError where predictions are to be written and a class's number is no byte below 255.
  SegmentationQuality(Segment segment, const data::Dataset& pictures, const SegmentationScoreOptions& options,
                      const fs::path& folder);
  ~SegmentationQuality() override;
  void reset() override;
  /// Counts the pictures in LibTorch's threads.
  void process(std::span<const data::Sample> samples) override;
  /// Throws UserError where no pixel has a class.
  Metrics result() override;
  std::string state() override;
  void merge(std::string state) override;

 private:
  void write(const std::string& key, vision::LabelMap prediction) const;

  Segment segment_;
  std::vector<std::string> class_names_;
  std::optional<std::array<uint8_t, 256>> numbers_;  // of each class in the dataset's files; none: nothing is written
  SegmentationScoreOptions options_;
  fs::path folder_;
  std::optional<SegmentationMetrics> metrics_;
  std::unique_ptr<class SegmentationExamples> examples_;
};

/// A split's pictures, with progress; the files lie in FOLDER/<the split's name>.
Metrics judge_segmentation(Segment segment, const Split& split, const SegmentationScoreOptions& options,
                           const fs::path& folder);

}  // namespace freeatm::evaluation
