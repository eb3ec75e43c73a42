// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <vector>

#include "freeatm/data/sample.h"

namespace freeatm::evaluation {

struct Metric {
  std::string name;  // "knn_accuracy", "mean_iou"
  double value;
};

/// Judges something over a dataset: `process` for each group of samples, in order, then `result` once.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual void reset() = 0;
  virtual void process(std::span<const data::Sample> samples) = 0;
  virtual std::vector<Metric> result() = 0;
};

}  // namespace freeatm::evaluation
