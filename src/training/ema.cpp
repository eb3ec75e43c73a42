// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/ema.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::training {

double ema_decay(double decay, int64_t step) {
  return std::min(decay, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
}

EmaHook::EmaHook(std::vector<at::Tensor> trained, std::vector<at::Tensor> averages, double decay)
    : trained_(std::move(trained)), averages_(std::move(averages)), decay_(decay) {
  FREEATM_CHECK(trained_.size() == averages_.size(), "{} weights, {} averages", trained_.size(), averages_.size());
}

void EmaHook::after_step(const StepReport& report) {
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(averages_, trained_, 1 - ema_decay(decay_, report.position.step));
}

}  // namespace freeatm::training
