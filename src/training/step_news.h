// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/runtime/ranks.h"
#include "freeatm/training/objective.h"

namespace freeatm::training {

/// What the ranks tell each other at a step's beginning: whether one of them was asked to stop, how late it is at the
/// first one, and how many things their batches have. It is on its way while the losses are computed.
class StepNews {
 public:
  ///   own: the counts of each of this rank's batches; seconds: that this rank has trained
  StepNews(runtime::Ranks& ranks, const std::vector<Counts>& own, bool stops, double seconds);

  /// These wait.
  const StepTotals& totals();
  bool stops();
  double seconds();

 private:
  void arrive();

  runtime::Ranks& ranks_;
  StepTotals totals_;
  at::Tensor numbers_;  // [2 + names] fp64
  std::function<void()> wait_;
};

/// Sums of a step's scalars over its batches, on their way over the ranks while backward runs.
class StepLosses {
 public:
  ///   batches: this rank's; the same names on every rank
  StepLosses(runtime::Ranks& ranks, const std::vector<Losses>& batches);
  /// The means over all batches of all ranks.
  Losses means();

 private:
  LossSums sums_;
  std::function<void()> wait_;
};

}  // namespace freeatm::training
