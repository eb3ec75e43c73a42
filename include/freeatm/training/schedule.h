// SPDX-License-Identifier: Apache-2.0
// The learning rate of each step, counted from 0. Each schedule begins with a linear warm-up from 0:
//   step < warmup: peak * step / warmup
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace freeatm::training {

using Schedule = std::function<double(int64_t step)>;

/// Half a cosine (Loshchilov & Hutter 2017), per step as in MoCo v3 and MAE:
///   last + (peak - last) / 2 * (1 + cos(pi * (step - warmup) / (total - warmup)))
class CosineSchedule {
 public:
  CosineSchedule(double peak, double last, int64_t warmup_steps, int64_t total_steps);
  double operator()(int64_t step) const;

 private:
  double peak_, last_;
  int64_t warmup_steps_, total_steps_;
};

/// As DeepLab and its successors have it: last + (peak - last) * (1 - (step - warmup) / (total - warmup))^power
class PolySchedule {
 public:
  PolySchedule(double peak, double last, double power, int64_t warmup_steps, int64_t total_steps);
  double operator()(int64_t step) const;

 private:
  double peak_, last_, power_;
  int64_t warmup_steps_, total_steps_;
};

/// peak * gamma^(milestones that are passed). Milestones are steps of the run, its warm-up included; without any the
/// rate is constant.
class StepSchedule {
 public:
  StepSchedule(double peak, double gamma, std::vector<int64_t> milestones, int64_t warmup_steps);
  double operator()(int64_t step) const;

 private:
  double peak_, gamma_;
  std::vector<int64_t> milestones_;
  int64_t warmup_steps_;
};

}  // namespace freeatm::training
