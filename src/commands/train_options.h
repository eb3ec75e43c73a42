// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/runtime/device_options.h"
#include "freeatm/training/train_run.h"

namespace freeatm::commands {

/// The keys that every training of a backbone has.
struct TrainOptions {
  std::string out, dtype = "fp32", resume = "auto";
  runtime::DeviceOptions device;
  int64_t seed = 0;
  data::LoaderOptions loader;
  training::TrainerOptions trainer;
  void fields(config::Fields& f);

  training::TrainRunOptions run(at::Device where) const;
  int in_ranks(const std::function<int()>& work) const;

  ///   options: those of the command, of which these are a part
  template <class Options>
  runs::Claim claim(const Options& options, std::vector<runs::Input> inputs) const {
    return runs::claim_of(options, out, resume, std::move(inputs));
  }
};

}  // namespace freeatm::commands
