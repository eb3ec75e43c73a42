// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "freeatm/diffusion/scheduler.h"

namespace freeatm::diffusion {

struct DdimOptions {
  NoiseSchedule noise;
  std::string timestep_spacing = "leading";  // Lin et al. 2023, table 2: leading, trailing
  int64_t steps_offset = 0;                  // added to every timestep of leading spacing
  bool set_alpha_to_one = true;              // what stands before step 0: 1, or the first alpha
  bool clip_sample = true;
  double clip_sample_range = 1.0;

  /// Of a scheduler_config.json; unsupported keys are refused by name.
  static DdimOptions from_config(const std::string& path);
};

/// DDIM, Song et al. 2021, eq. 12. Equals diffusers' `DDIMScheduler` (0.42) for every option it knows.
class Ddim final : public Scheduler {
 public:
  explicit Ddim(const DdimOptions& options);

  std::unique_ptr<Trajectory> start(int64_t steps, double eta = 0) const override;
  at::Tensor add_noise(const at::Tensor& sample, const at::Tensor& noise, int64_t timestep) const override;
  const NoiseSchedule& noise() const override { return options_.noise; }

 private:
  DdimOptions options_;
  std::vector<double> alphas_cumprod_;  // [num_train_timesteps]
};

}  // namespace freeatm::diffusion
