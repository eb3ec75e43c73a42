// SPDX-License-Identifier: Apache-2.0
#include "precision_curve.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace freeatm::evaluation {

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void PrecisionCurve::add(double precision, double score) {
  precision_.push_back(precision);
  score_.push_back(score);
}

void PrecisionCurve::take_best() {
  for (size_t i = precision_.size(); i-- > 1;) precision_[i - 1] = std::max(precision_[i - 1], precision_[i]);
}

size_t PrecisionCurve::first_at(double recall) const {
  // A guess, then the comparison of quotients that decides it: (i + 1) / objects may be the number below a round
  // recall.
  auto i = static_cast<size_t>(std::max(0.0, std::floor(recall * objects_) - 2));
  while (i < precision_.size() && static_cast<double>(i + 1) / objects_ < recall) ++i;
  return std::min(i, precision_.size());
}

double PrecisionCurve::precision_at(double recall) const {
  const size_t i = first_at(recall);
  return i < precision_.size() ? precision_[i] : 0;
}

std::vector<double> PrecisionCurve::sampled(const std::vector<double>& values) const {
  std::vector<double> out(kRecalls);
  for (size_t k = 0; k < kRecalls; ++k) {
    const size_t i = first_at(static_cast<double>(k) * 0.01);
    if (i == values.size()) break;
    out[k] = values[i];
  }
  return out;
}

std::vector<double> PrecisionCurve::precisions() const { return sampled(precision_); }

std::vector<double> PrecisionCurve::scores() const { return sampled(score_); }

double PrecisionCurve::area() const { return std::accumulate(precision_.begin(), precision_.end(), 0.0) / objects_; }

}  // namespace freeatm::evaluation
