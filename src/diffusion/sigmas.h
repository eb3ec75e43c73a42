// SPDX-License-Identifier: Apache-2.0
// Noise levels as Karras et al. 2022 count them: x = x_0 + sigma eps, so sigma = sqrt((1 - a) / a) where alpha_bar is
// a. In fp32 where diffusers is.
#pragma once
#include <cstdint>
#include <vector>

#include "freeatm/diffusion/scheduler.h"

namespace freeatm::diffusion {

/// Of each trained timestep, rising.
class TrainingSigmas {
 public:
  explicit TrainingSigmas(const NoiseSchedule& noise);

  double smallest() const { return sigmas_.front(); }
  double largest() const { return sigmas_.back(); }
  /// Linear between two trained timesteps.
  double at(double timestep) const;
  /// Linear in log sigma; what lies beyond the trained ones gets the first or the last timestep.
  double timestep_of(double sigma) const;

 private:
  std::vector<double> sigmas_, log_sigmas_;  // [num_train_timesteps]
};

/// What the steps of a run are spaced by.
enum class SigmaSpacing { kTimesteps, kKarras, kExponential };
/// use_karras_sigmas, use_exponential_sigmas. Throws UserError for diffusers' further kinds.
SigmaSpacing read_sigma_spacing(models::ModelConfig& config);
/// final_sigmas_type. Throws UserError.
bool read_ends_at_zero(models::ModelConfig& config);

/// [steps], from the largest to the smallest: Karras et al. 2022, eq. 5 with rho 7, or evenly in log sigma.
std::vector<double> spaced_sigmas(SigmaSpacing spacing, double largest, double smallest, int64_t steps);

}  // namespace freeatm::diffusion
