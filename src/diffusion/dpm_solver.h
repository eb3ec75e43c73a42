// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "freeatm/diffusion/scheduler.h"

#include "sigmas.h"

namespace freeatm::diffusion {

struct DpmSolverOptions {
  NoiseSchedule noise;
  std::string timestep_spacing = "linspace";  // leading, linspace, trailing
  int64_t steps_offset = 0;                   // added to every timestep of leading spacing
  int64_t solver_order = 2;                   // 1 or 2
  std::string solver_type = "midpoint";       // of the second order: midpoint, heun
  bool lower_order_final = true;              // the last of fewer than 15 steps is of the first order
  bool euler_at_final = false;                // the last step always is
  SigmaSpacing sigmas = SigmaSpacing::kTimesteps;
  bool ends_at_zero = true;  // final_sigmas_type: zero, or else the smallest sigma of training

  static DpmSolverOptions from_config(models::ModelConfig& config);
};

/// DPM-Solver++, Lu et al. 2022, algorithm 2 (2M). Equals diffusers' `DPMSolverMultistepScheduler` (0.42) with
/// algorithm_type "dpmsolver++".
class DpmSolver final : public Scheduler {
 public:
  explicit DpmSolver(const DpmSolverOptions& options);
  std::unique_ptr<Trajectory> start(int64_t steps) const override;

 private:
  DpmSolverOptions options_;
  TrainingSigmas training_;
};

}  // namespace freeatm::diffusion
