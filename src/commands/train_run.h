// SPDX-License-Identifier: Apache-2.0
// What pretrain and finetune have in common: an objective trained on a dataset in a run folder.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/loader.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/training/trainer.h"

namespace freeatm::commands {

/// The keys that every training of a backbone has.
struct TrainRunOptions {
  std::string out, device = "auto", dtype = "fp32", resume = "auto";
  int64_t seed = 0;
  data::LoaderOptions loader;
  training::TrainerOptions trainer;
  void fields(config::Fields& f);

  ///   options: those of the command, of which these are a part
  template <class Options>
  runs::Claim claim(const Options& options, std::vector<runs::Input> inputs) const {
    return runs::claim_of(options, out, resume, std::move(inputs));
  }
};

/// One training, from its parts to its last step. The constructor writes nothing, so that what is wrong with the input
/// is said before `out` is made.
class TrainRun {
 public:
  /// The dataset must outlive it.
  TrainRun(std::shared_ptr<training::Objective> objective, const data::Dataset& dataset, const TrainRunOptions& options,
           at::Device device);

  const training::RunLength& length() const { return length_; }

  /// A probe or an alarm: called after the log, whose line comes first, and before a checkpoint is saved.
  void add(std::unique_ptr<training::Hook> hook) { hooks_.push_back(std::move(hook)); }

  /// Trains to the end in `options.out`, which is claimed, from a checkpoint where there is one; `label` stands before
  /// the progress.
  /// With trainer.ema the objective has the averages of its weights then, as whoever reads the checkpoint gets them.
  void train(const std::string& label);

 private:
  std::shared_ptr<training::Objective> objective_;
  TrainRunOptions options_;
  at::Device device_;
  at::ScalarType compute_;
  training::RunLength length_;
  data::Loader loader_;
  std::unique_ptr<training::Optimizer> optimizer_;
  std::vector<std::unique_ptr<training::Hook>> hooks_;
};

}  // namespace freeatm::commands
