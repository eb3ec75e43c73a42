// SPDX-License-Identifier: Apache-2.0
#include "timesteps.h"

#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"

#include "scheduler_config.h"

namespace freeatm::diffusion {

std::vector<double> leading_timesteps(int64_t steps, int64_t stride, int64_t offset) {
  std::vector<double> timesteps;
  for (int64_t i = steps - 1; i >= 0; --i) timesteps.push_back(static_cast<double>(i * stride + offset));
  return timesteps;
}

// numpy.linspace(0, trained - 1, steps) from its end.
std::vector<double> linspace_timesteps(int64_t steps, int64_t trained) {
  const auto last = static_cast<double>(trained - 1);
  if (steps == 1) return {0.0};
  const double stride = last / static_cast<double>(steps - 1);
  std::vector<double> timesteps = {last};
  for (int64_t i = steps - 2; i >= 0; --i) timesteps.push_back(static_cast<double>(i) * stride);
  return timesteps;
}

// numpy.arange(trained, 0, -trained / steps), whose stride is the difference of its first two values.
std::vector<double> trailing_timesteps(int64_t steps, int64_t trained) {
  const auto first = static_cast<double>(trained);
  const double stride = (first - first / static_cast<double>(steps)) - first;
  std::vector<double> timesteps;
  for (int64_t i = 0; i < steps; ++i) timesteps.push_back(std::nearbyint(first + static_cast<double>(i) * stride) - 1);
  return timesteps;
}

std::vector<double> spaced_timesteps(const std::string& spacing, int64_t steps, int64_t trained, int64_t offset) {
  if (spacing == "leading") return leading_timesteps(steps, trained / steps, offset);
  if (spacing == "trailing") return trailing_timesteps(steps, trained);
  return rounded(linspace_timesteps(steps, trained));
}

std::vector<double> rounded(std::vector<double> timesteps) {
  for (double& timestep : timesteps) timestep = std::nearbyint(timestep);  // halves to even
  return timesteps;
}

std::string read_spacing(models::ModelConfig& config, const std::string& fallback) {
  return choice(config, "timestep_spacing", fallback, {"leading", "linspace", "trailing"});
}

void require_steps(int64_t steps, int64_t limit) {
  if (steps < 1 || steps > limit) throw UserError("", "sampler.steps", "{} is not in [1, {}]", steps, limit);
}

void require_trained(const std::vector<double>& timesteps, int64_t trained, int64_t offset) {
  const double first = *std::max_element(timesteps.begin(), timesteps.end());
  if (first < static_cast<double>(trained)) return;
  throw UserError("", "sampler.steps",
                  "{} steps start at timestep {} with steps_offset {}, beyond the {} that were trained",
                  timesteps.size(), first, offset, trained);
}

}  // namespace freeatm::diffusion
