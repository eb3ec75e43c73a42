// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "freeatm/core/files.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/training/hook.h"

namespace freeatm::training {

/// Saves as the options say, at the end, and when the run is interrupted. A checkpoint that is due where an epoch ends
/// is saved in `after_epoch`: hooks that come before this one have said there what they know of the epoch. One that
/// cannot be written is warned of, once, and the run goes on; at_end throws where that was the last one. Of several
/// ranks the first one writes, and all call it: an optimiser's state may lie on all of them.
class CheckpointHook final : public Hook {
 public:
  ///   before_save: called before each save; what it throws prevents it
  CheckpointHook(
      fs::path run, RunState state, const CheckpointOptions& options, std::function<void()> before_save = [] {});
  void before_train(const RunLength& length, const Position& start) override;
  void after_step(const StepReport& report) override;
  void after_epoch(const Position& position) override;
  void at_end(const Position& position) override;

 private:
  void save(const Position& position);
  void write(const Checkpoint& checkpoint);
  void fail(const std::string& reason);
  bool is_time() const;

  fs::path run_;
  RunState state_;
  CheckpointOptions options_;
  std::function<void()> before_save_;
  RunLength length_;
  bool due_ = false;
  std::optional<int64_t> saved_step_;  // what is saved or restored is not saved again
  std::string failure_;                // why the last save failed
  double seconds_ = 0, tried_at_ = 0;  // of training
};

}  // namespace freeatm::training
