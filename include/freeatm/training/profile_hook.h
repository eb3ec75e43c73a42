// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <c10/core/Device.h>

#include "freeatm/core/files.h"
#include "freeatm/training/hook.h"

namespace freeatm::training {

/// Writes when each operator of some steps began and ended, on the CPU and on a GPU, as a Chrome trace: for
/// ui.perfetto.dev or chrome://tracing. The first steps, which take memory and choose kernels, are left out.
class ProfileHook final : public Hook {
 public:
  static constexpr int64_t kUncounted = 5;  // steps before the trace begins

  ///   file: of the trace; it appears whole, after the last of the steps or at the run's end
  ProfileHook(fs::path file, int64_t steps, at::Device device);
  ~ProfileHook() override;
  void before_train(const RunLength& length, const Position& start) override;
  void after_step(const StepReport& report) override;
  void at_end(const Position& position) override;

 private:
  void begin();
  void write();

  fs::path file_;
  int64_t steps_, done_ = 0;
  at::Device device_;
  bool running_ = false;
};

}  // namespace freeatm::training
