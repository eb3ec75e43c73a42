// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace freeatm::training {

CosineSchedule::CosineSchedule(double peak, double last, int64_t warmup_steps, int64_t total_steps)
    : peak_(peak), last_(last), warmup_steps_(warmup_steps), total_steps_(total_steps) {}

double CosineSchedule::operator()(int64_t step) const {
  if (step < warmup_steps_) return peak_ * static_cast<double>(step) / static_cast<double>(warmup_steps_);
  const double decay_steps = static_cast<double>(std::max<int64_t>(1, total_steps_ - warmup_steps_));
  const double done = std::min(1.0, static_cast<double>(step - warmup_steps_) / decay_steps);
  return last_ + (peak_ - last_) / 2 * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace freeatm::training
