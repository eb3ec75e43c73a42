// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "freeatm/diffusion/scheduler.h"

namespace freeatm::diffusion {

struct DdimOptions {
  NoiseSchedule noise;
  std::string timestep_spacing = "leading";  // Lin et al. 2023, table 2: leading, linspace, trailing
  int64_t steps_offset = 0;                  // added to every timestep of leading spacing
  bool set_alpha_to_one = true;              // what stands before step 0: 1, or the first alpha
  bool clip_sample = true;
  double clip_sample_range = 1.0;
  double eta = 0;  // 0: deterministic, 1: DDPM's variance

  /// Of a scheduler_config.json; unsupported keys are refused by name.
  static DdimOptions from_config(const std::string& path);
  static DdimOptions from_config(models::ModelConfig& config);
};

/// DDIM, Song et al. 2021, eq. 12. Equals diffusers' `DDIMScheduler` (0.42) for every option it knows.
class Ddim final : public Scheduler {
 public:
  explicit Ddim(const DdimOptions& options) : Scheduler(options.noise), options_(options) {}
  std::unique_ptr<Trajectory> start(int64_t steps) const override;

 private:
  DdimOptions options_;
};

}  // namespace freeatm::diffusion
