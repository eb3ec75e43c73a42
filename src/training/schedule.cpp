// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace freeatm::training {
namespace {

double warm_up(double peak, int64_t step, int64_t warmup_steps) {
  return peak * static_cast<double>(step) / static_cast<double>(warmup_steps);
}

/// Where a step stands between the end of the warm-up and that of the run, [0, 1].
double part_done(int64_t step, int64_t warmup_steps, int64_t total_steps) {
  const double decay_steps = static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
  return std::min(1.0, static_cast<double>(step - warmup_steps) / decay_steps);
}

}  // namespace

CosineSchedule::CosineSchedule(double peak, double last, int64_t warmup_steps, int64_t total_steps)
    : peak_(peak), last_(last), warmup_steps_(warmup_steps), total_steps_(total_steps) {}

double CosineSchedule::operator()(int64_t step) const {
  if (step < warmup_steps_) return warm_up(peak_, step, warmup_steps_);
  const double done = part_done(step, warmup_steps_, total_steps_);
  return last_ + (peak_ - last_) / 2 * (1 + std::cos(std::numbers::pi * done));
}

PolySchedule::PolySchedule(double peak, double last, double power, int64_t warmup_steps, int64_t total_steps)
    : peak_(peak), last_(last), power_(power), warmup_steps_(warmup_steps), total_steps_(total_steps) {}

double PolySchedule::operator()(int64_t step) const {
  if (step < warmup_steps_) return warm_up(peak_, step, warmup_steps_);
  return last_ + (peak_ - last_) * std::pow(1 - part_done(step, warmup_steps_, total_steps_), power_);
}

StepSchedule::StepSchedule(double peak, double gamma, std::vector<int64_t> milestones, int64_t warmup_steps)
    : peak_(peak), gamma_(gamma), milestones_(std::move(milestones)), warmup_steps_(warmup_steps) {}

double StepSchedule::operator()(int64_t step) const {
  if (step < warmup_steps_) return warm_up(peak_, step, warmup_steps_);
  const auto passed = std::ranges::count_if(milestones_, [&](int64_t milestone) { return step >= milestone; });
  return peak_ * std::pow(gamma_, static_cast<double>(passed));
}

}  // namespace freeatm::training
