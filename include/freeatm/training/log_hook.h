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

/// The run's metrics and the progress line. A line is the mean of the scalars since the one before it, each over the
/// steps that had it: they stay on the device until then, so a step waits for nothing. Names keep the order in which
/// they first came. Of several ranks the first one writes, and all call it.
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
  NamedValues rates(double seconds);  // since the last line, samples_per_second and wait_share first
  struct Column {
    std::string name;
    bool is_minimised;  // the total and its terms: must be finite, where what is observed may have nothing to say
  };
  struct Step {
    at::Tensor values;            // total, terms, observed
    std::vector<size_t> columns;  // of each value
    double learning_rate;
  };
  size_t column(const std::string& name, bool is_minimised);
  std::vector<double> fetch_means() const;  // [columns]; NaN where no step had such a value
  [[noreturn]] void refuse(size_t row, const double* values) const;

  fs::path run_;
  const data::Loader& loader_;
  std::vector<int64_t> every_steps_;
  std::string label_;
  std::unique_ptr<Progress> progress_;
  std::string note_;
  std::vector<Column> columns_;  // of the whole run
  // since the last line
  std::vector<Step> steps_;
  Position position_;
  double waited_ = 0, heard_ = 0;  // seconds, all in all: for the loader, for other ranks
  int64_t samples_ = 0;
  Clock::time_point since_;
};

}  // namespace freeatm::training
