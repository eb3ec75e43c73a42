// SPDX-License-Identifier: Apache-2.0
// What semantic segmentation is judged by: sums over the pixels of a whole set, and what follows from them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/core/state_bytes.h"
#include "freeatm/evaluation/metrics.h"
#include "freeatm/vision/label_map.h"

namespace freeatm::evaluation {

/// One class's; none where there is nothing to divide by.
struct ClassScores {
  std::optional<double> iou;           // none: the class is in neither truth nor prediction
  std::optional<double> accuracy;      // the share of its pixels that are found; none: the truth has none
  std::optional<double> boundary_iou;  // none: as of iou, or boundaries were not judged
};

struct SegmentationResult {
  std::vector<std::vector<int64_t>> confusion;  // [classes, classes], pixels, truth x prediction
  std::vector<int64_t> no_class;                // [classes], pixels of the truth for which no class was predicted
  std::vector<ClassScores> classes;
  int64_t pictures = 0, pixels = 0;  // pixels: that the truth has a class of

  // Means over the classes that have a value; 0 where none has.
  double mean_iou = 0, mean_accuracy = 0;
  double pixel_accuracy = 0;
  double frequency_weighted_iou = 0;  // IoUs, each as often as the truth has its class
  std::optional<double> mean_boundary_iou;

  /// mean_iou, pixel_accuracy, mean_accuracy, frequency_weighted_iou, mean_boundary_iou, pictures, pixels, and where
  /// there are any pixels_of_no_class; iou_by_class, accuracy_by_class, boundary_iou_by_class of the classes that have
  /// them.
  Metrics metrics(const std::vector<std::string>& class_names) const;
};

/// Counts pictures in any order; parts that threads counted are merged. Values equal scikit-learn's `jaccard_score` of
/// all pixels, where classes that neither side has are left out of the means, and those that are predicted but never
/// true are 0.
class SegmentationMetrics {
 public:
  ///   classes: 1 to 255; boundary: boundaries, too (Cheng et al. 2021), of a fiftieth of the diagonal, whose
  ///   intersections and unions are summed over the set
  SegmentationMetrics(int64_t classes, bool boundary);

  ///   truth: classes, or LabelMap::kIgnored: such a pixel counts nowhere, and to boundaries it is of no class on
  ///   either side; prediction: of the same size; what is no class is wrong
  void add(const vision::LabelMap& truth, const vision::LabelMap& prediction);
  void merge(const SegmentationMetrics& other);
  void bytes(StateBytes& bytes) {
    bytes(pixels_);
    if (boundaries_) bytes(*boundaries_);
    bytes(pictures_);
  }
  SegmentationResult result() const;

 private:
  /// How often each pair of bytes stands at the same pixel.
  class Pairs {
   public:
    Pairs();
    void add(const std::vector<uint8_t>& truth, const std::vector<uint8_t>& prediction);
    void merge(const Pairs& other);
    void bytes(StateBytes& bytes) { bytes(counts_); }
    int64_t of(int64_t truth, int64_t prediction) const { return counts_[place(truth, prediction)]; }

   private:
    // A row is one longer than it has values: at a power of two all rows would want the same lines of the cache.
    static constexpr int64_t kRow = 257;
    static int64_t place(int64_t truth, int64_t prediction) { return truth * kRow + prediction; }
    std::vector<int64_t> counts_;
  };

  int64_t classes_;
  Pairs pixels_;
  std::optional<Pairs> boundaries_;
  int64_t pictures_ = 0;
};

/// The least label that is neither below `classes` nor LabelMap::kIgnored.
std::optional<uint8_t> unknown_label(const vision::LabelMap& map, int64_t classes);

/// {"classes": ["sky", ...], "counts": [[...], ...], "no_class": [...]}: rows are the truth's.
void write_confusion(const fs::path& file, const std::vector<std::string>& class_names,
                     const SegmentationResult& result);

}  // namespace freeatm::evaluation
