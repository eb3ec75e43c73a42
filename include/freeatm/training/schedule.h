// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace freeatm::training {

/// Linear warm-up from 0, then half a cosine (Loshchilov & Hutter 2017), per step as in MoCo v3 and MAE:
///   step < warmup: peak * step / warmup;  else: last + (peak - last) / 2 * (1 + cos(pi * (step - warmup) / (total -
///   warmup)))
class CosineSchedule {
 public:
  CosineSchedule(double peak, double last, int64_t warmup_steps, int64_t total_steps);
  double operator()(int64_t step) const;

 private:
  double peak_, last_;
  int64_t warmup_steps_, total_steps_;
};

}  // namespace freeatm::training
