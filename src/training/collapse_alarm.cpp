// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/collapse_alarm.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/log.h"

namespace freeatm::training {

void CollapseAlarm::after_step(const StepReport& report) {
  const auto& observed = report.losses.observed;
  const auto found = std::ranges::find(observed, "embedding_std", &Scalar::name);
  if (found == observed.end()) return;
  deviations_.push_back(found->value);
  if (std::ssize(deviations_) < every_steps_) return;
  const double deviation = at::stack(deviations_).mean().item<double>();
  deviations_.clear();
  const bool collapsed = deviation < least_;
  if (collapsed && !alarmed_) {
    log::warning(
        "step {}: the embeddings have collapsed, their deviation is {} of an even spread's: all pictures look alike to "
        "the model. A smaller trainer.lr, a longer warm-up or a larger batch may help",
        report.position.step, std::round(deviation * 1000) / 1000);
  }
  alarmed_ = collapsed;
}

}  // namespace freeatm::training
