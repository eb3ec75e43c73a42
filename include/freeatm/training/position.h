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

/// How long a run is; schedules and progress are measured against total_steps.
struct RunLength {
  int64_t steps_per_epoch = 0, total_steps = 0;

  int64_t epochs() const { return (total_steps + steps_per_epoch - 1) / std::max<int64_t>(1, steps_per_epoch); }
  double progress(int64_t step) const { return static_cast<double>(step) / static_cast<double>(total_steps); }
};

}  // namespace freeatm::training
