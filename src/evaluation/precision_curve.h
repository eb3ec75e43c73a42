// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace freeatm::evaluation {

/// What COCO's and VOC's average precisions are made of: the detections of a class that are right, by falling score.
class PrecisionCurve {
 public:
  static constexpr size_t kRecalls = 101;

  ///   objects: how many there are to be found, at least one
  explicit PrecisionCurve(int64_t objects) : objects_(static_cast<double>(objects)) {}

  /// The next right detection: the precision down to it.
  void add(double precision, double score);
  /// Precision becomes the best one from there on; after the last `add`.
  void take_best();

  int64_t right() const { return static_cast<int64_t>(precision_.size()); }
  /// At the first detection with which recall is at least so much, 0 where it never is.
  double precision_at(double recall) const;
  /// Likewise at 0, .01, ... 1.
  std::vector<double> precisions() const;
  std::vector<double> scores() const;
  /// Below the curve.
  double area() const;

 private:
  /// Place in the lists, at the end where recall never gets there.
  size_t first_at(double recall) const;
  std::vector<double> sampled(const std::vector<double>& values) const;

  double objects_;
  std::vector<double> precision_, score_;
};

double mean_of(const std::vector<double>& values);

}  // namespace freeatm::evaluation
