// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>

#include "freeatm/data/sample.h"
#include "freeatm/evaluation/metrics.h"

namespace freeatm::evaluation {

/// Judges something over a dataset: `process` for each group of samples, in order, then `result` once.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual void reset() = 0;
  virtual void process(std::span<const data::Sample> samples) = 0;
  virtual Metrics result() = 0;

  /// What it has been given so far, for another process's evaluator of the same kind.
  virtual std::string state() = 0;
  /// Takes what another has been given; its samples come behind the own ones.
  virtual void merge(std::string state) = 0;
};

}  // namespace freeatm::evaluation
