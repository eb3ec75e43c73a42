// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

namespace freeatm::training {

/// Where a run stands: `step` optimiser steps are done in all, `step_in_epoch` of them in the running epoch.
struct Position {
  int64_t epoch = 0, step_in_epoch = 0, step = 0;
  bool operator==(const Position&) const = default;
};

/// How long a run is, in optimiser steps; schedules and progress are measured against total_steps.
struct RunLength {
  int64_t steps_per_epoch = 0, total_steps = 0;
  int64_t accumulate = 1;  // batches a step

  int64_t epochs() const { return (total_steps + steps_per_epoch - 1) / std::max<int64_t>(1, steps_per_epoch); }
  double progress(int64_t step) const { return static_cast<double>(step) / static_cast<double>(total_steps); }
  bool ends_epoch(const Position& at) const { return at.step_in_epoch >= steps_per_epoch; }
  bool ends_run(const Position& at) const { return at.step >= total_steps; }
};

}  // namespace freeatm::training
