// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "freeatm/diffusion/scheduler.h"

namespace freeatm::diffusion {

struct PndmOptions {
  NoiseSchedule noise;                       // epsilon or v_prediction
  std::string timestep_spacing = "leading";  // leading, linspace, trailing
  int64_t steps_offset = 0;                  // added to every timestep of leading spacing
  bool set_alpha_to_one = false;             // what stands before step 0: 1, or the first alpha
  bool skip_prk_steps = false;               // the first steps: true repeats one call, false is Runge-Kutta, 12 calls

  static PndmOptions from_config(models::ModelConfig& config);
};

/// Pseudo numerical methods, Liu et al. 2022, algorithm 2: linear multistep of order 4. Equals diffusers'
/// `PNDMScheduler` (0.42). N steps are N + 1 calls of the model with skip_prk_steps, else N + 9.
class Pndm final : public Scheduler {
 public:
  explicit Pndm(const PndmOptions& options) : Scheduler(options.noise), options_(options) {}
  std::unique_ptr<Trajectory> start(int64_t steps) const override;

 private:
  PndmOptions options_;
};

}  // namespace freeatm::diffusion
