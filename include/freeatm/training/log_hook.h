// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/core/progress.h"
#include "freeatm/data/loader.h"
#include "freeatm/training/hook.h"

namespace freeatm::training {

/// A loss became NaN or infinite: what() says which, when, and what to try.
struct Diverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Adds a line of its own to RUN/metrics.jsonl: what is not measured at every step. The folder's LogHook must be there
/// first.
void append_metrics(const fs::path& run, int64_t step, const std::vector<std::pair<std::string, double>>& values);

/// RUN/metrics.jsonl and the progress line. A line is the mean of the scalars since the one before it: they stay on the
/// device until then, so a step waits for nothing. Put it before the checkpoint hook: what diverged is not saved.
class LogHook final : public Hook {
 public:
  ///   every_steps: steps a line; the end of an epoch and a pending signal make a line too
  ///   label: what the progress line begins with
  LogHook(fs::path run, const data::Loader& loader, int64_t every_steps, std::string label = "pretrain");
  void before_train(const RunLength& length, const Position& start) override;
  void after_step(const StepReport& report) override;
  void after_epoch(const Position& position) override;
  void at_end(const Position& position) override;

 private:
  using Clock = std::chrono::steady_clock;
  void write_line();
  std::vector<double> fetch_means() const;  // [names]; NaN where no step had such a value

  fs::path path_;
  const data::Loader& loader_;
  int64_t every_steps_;
  std::string label_;
  std::ofstream file_;
  std::unique_ptr<Progress> progress_;
  std::string note_;
  // since the last line
  std::vector<std::string> names_;
  size_t minimised_ = 0;           // the first so many of them: the total and its terms
  std::vector<at::Tensor> steps_;  // each [names]: total, terms, observed
  Position position_;
  double learning_rate_ = 0, waited_ = 0;
  int64_t samples_ = 0;
  Clock::time_point since_;
};

}  // namespace freeatm::training
