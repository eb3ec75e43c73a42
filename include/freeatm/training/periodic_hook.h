// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <utility>

#include "freeatm/training/hook.h"

namespace freeatm::training {

/// Calls a function after every n-th step, and at the end.
class PeriodicHook final : public Hook {
 public:
  PeriodicHook(int64_t every_steps, std::function<void(int64_t step)> act)
      : every_steps_(every_steps), act_(std::move(act)) {}
  void after_step(const StepReport& report) override {
    if (report.position.step % every_steps_ == 0) call(report.position.step);
  }
  void at_end(const Position& position) override { call(position.step); }

 private:
  void call(int64_t step) {
    if (step != called_) act_(called_ = step);
  }
  int64_t every_steps_, called_ = -1;
  std::function<void(int64_t)> act_;
};

}  // namespace freeatm::training
