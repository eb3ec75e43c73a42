// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/training/hook.h"

namespace freeatm::training {

/// How much of itself an average keeps at its step-th update: min(decay, (1 + step) / (10 + step)), so that the first
/// weights are soon forgotten.
double ema_decay(double decay, int64_t step);

/// Exponential moving averages of weights, after each step; put it before hooks that look at them.
///   trained, averages: the same shapes in the same order
class EmaHook final : public Hook {
 public:
  EmaHook(std::vector<at::Tensor> trained, std::vector<at::Tensor> averages, double decay);
  void after_step(const StepReport& report) override;

 private:
  std::vector<at::Tensor> trained_, averages_;
  double decay_;
};

}  // namespace freeatm::training
