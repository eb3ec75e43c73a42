// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/core/progress.h"
#include "freeatm/data/loader.h"
#include "freeatm/training/diverged.h"
#include "freeatm/training/hook.h"
#include "freeatm/training/metrics.h"

namespace freeatm::training {

/// The run's metrics and the progress line. A line is the mean of the scalars since the one before it: they stay on the
/// device until then, so a step waits for nothing.
class LogHook final : public Hook {
 public:
  ///   every_steps: a line after each step that is a multiple of one of these, at an epoch's end, and when the run is
  ///   interrupted; label: what the progress line begins with
  LogHook(fs::path run, const data::Loader& loader, std::vector<int64_t> every_steps, std::string label = "pretrain");
  void before_train(const RunLength& length, const Position& start) override;
  void after_step(const StepReport& report) override;
  void after_epoch(const Position& position) override;
  void at_end(const Position& position) override;

  /// Throws Diverged where a loss since the last line was no finite number: to be asked before a checkpoint is saved.
  void check() const;

 private:
  using Clock = std::chrono::steady_clock;
  void write_line();
  std::vector<double> fetch_means() const;  // [names]; NaN where no step had such a value
  [[noreturn]] void refuse(int64_t row, const std::vector<double>& values) const;

  fs::path run_;
  const data::Loader& loader_;
  std::vector<int64_t> every_steps_;
  std::string label_;
  std::unique_ptr<Progress> progress_;
  std::string note_;
  // since the last line
  std::vector<std::string> names_;
  size_t minimised_ = 0;                // the first so many of them: the total and its terms
  std::vector<at::Tensor> steps_;       // each [names]: total, terms, observed
  std::vector<double> learning_rates_;  // of each of these steps
  Position position_;
  double waited_ = 0;
  int64_t samples_ = 0;
  Clock::time_point since_;
};

}  // namespace freeatm::training
