// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/training/hook.h"

namespace freeatm::training {

/// Warns when the embeddings of an objective that observes "embedding_std" become all alike: once, and again after they
/// have recovered. The figure stays on the device for `every_steps` steps, whose mean is looked at.
class CollapseAlarm final : public Hook {
 public:
  ///   least: of the deviation, where 1 is an even spread
  explicit CollapseAlarm(int64_t every_steps = 50, double least = 0.1) : every_steps_(every_steps), least_(least) {}
  void after_step(const StepReport& report) override;

 private:
  int64_t every_steps_;
  double least_;
  std::vector<at::Tensor> deviations_;  // since the last look
  bool alarmed_ = false;
};

}  // namespace freeatm::training
