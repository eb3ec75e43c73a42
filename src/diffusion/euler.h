// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "freeatm/diffusion/scheduler.h"

#include "sigmas.h"

namespace freeatm::diffusion {

struct EulerOptions {
  NoiseSchedule noise;
  std::string timestep_spacing = "linspace";  // leading, linspace, trailing
  int64_t steps_offset = 0;                   // added to every timestep of leading spacing
  std::string interpolation_type = "linear";  // sigmas between trained timesteps: linear, log_linear
  SigmaSpacing sigmas = SigmaSpacing::kTimesteps;
  bool ends_at_zero = true;  // final_sigmas_type: zero, or else the smallest sigma of training

  static EulerOptions from_config(models::ModelConfig& config);
};

/// Euler's method on the probability flow of Karras et al. 2022, algorithm 1 without noise; x = x_0 + sigma eps. Equals
/// diffusers' `EulerDiscreteScheduler` (0.42).
class Euler final : public Scheduler {
 public:
  explicit Euler(const EulerOptions& options);
  std::unique_ptr<Trajectory> start(int64_t steps) const override;

 private:
  EulerOptions options_;
  TrainingSigmas training_;
};

}  // namespace freeatm::diffusion
