// SPDX-License-Identifier: Apache-2.0
// Which of the trained timesteps a run visits: Lin et al. 2023, table 2. Rounded as numpy rounds in diffusers, to the
// bit: a timestep must not depend on how 1000 / 30 is represented. All descend.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/models/model_config.h"

namespace freeatm::diffusion {

/// (steps - 1) * stride + offset, ..., offset.
std::vector<double> leading_timesteps(int64_t steps, int64_t stride, int64_t offset);
/// trained - 1, ..., 0; a single step is made at 0. Not rounded.
std::vector<double> linspace_timesteps(int64_t steps, int64_t trained);
/// trained - 1 and every (trained / steps)-th before it.
std::vector<double> trailing_timesteps(int64_t steps, int64_t trained);

/// DDIM's and PNDM's, all whole numbers.
std::vector<double> spaced_timesteps(const std::string& spacing, int64_t steps, int64_t trained, int64_t offset);

std::vector<double> rounded(std::vector<double> timesteps);

/// timestep_spacing, of the three. Throws UserError.
std::string read_spacing(models::ModelConfig& config, const std::string& fallback);

/// Throws UserError("", "sampler.steps", ...) unless the number is in [1, limit].
void require_steps(int64_t steps, int64_t limit);
/// The same where a run starts at a timestep that was not trained, which only an offset can do.
void require_trained(const std::vector<double>& timesteps, int64_t trained, int64_t offset);

}  // namespace freeatm::diffusion
