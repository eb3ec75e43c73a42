// SPDX-License-Identifier: Apache-2.0
#include "sigmas.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

#include "scheduler_config.h"

namespace freeatm::diffusion {

TrainingSigmas::TrainingSigmas(const NoiseSchedule& noise) {
  std::vector<double> alphas = noise.alphas_cumprod();
  // With a zero signal the last sigma would be infinite; diffusers takes fp16's smallest number.
  if (noise.rescale_betas_zero_snr) alphas.back() = std::ldexp(1.0, -24);
  for (const double alpha : alphas) {
    const auto a = static_cast<float>(alpha);
    const float sigma = std::sqrt((1.0f - a) / a);
    sigmas_.push_back(sigma);
    log_sigmas_.push_back(std::log(sigma));
  }
}

double TrainingSigmas::at(double timestep) const {
  const auto low = static_cast<size_t>(timestep);
  if (low + 1 >= sigmas_.size()) return largest();
  return sigmas_[low] + (timestep - static_cast<double>(low)) * (sigmas_[low + 1] - sigmas_[low]);
}

double TrainingSigmas::timestep_of(double sigma) const {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  const auto above = std::upper_bound(log_sigmas_.begin(), log_sigmas_.end(), log_sigma);
  const int64_t last = static_cast<int64_t>(log_sigmas_.size()) - 2;
  const int64_t low = std::clamp<int64_t>(above - log_sigmas_.begin() - 1, 0, last);
  const double between = (log_sigma - log_sigmas_[low]) / (log_sigmas_[low + 1] - log_sigmas_[low]);
  return static_cast<double>(low) + std::clamp(between, 0.0, 1.0);
}

SigmaSpacing read_sigma_spacing(models::ModelConfig& config) {
  const bool karras = config.flag("use_karras_sigmas", false);
  const bool exponential = config.flag("use_exponential_sigmas", false);
  for (const char* other : {"use_beta_sigmas", "use_flow_sigmas", "use_lu_lambdas"}) config.fixed(other, false);
  if (karras && exponential)
    throw UserError(config.path(), "use_exponential_sigmas", "true does not go with use_karras_sigmas");
  return karras ? SigmaSpacing::kKarras : exponential ? SigmaSpacing::kExponential : SigmaSpacing::kTimesteps;
}

bool read_ends_at_zero(models::ModelConfig& config) {
  return choice(config, "final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero";
}

std::vector<double> spaced_sigmas(SigmaSpacing spacing, double largest, double smallest, int64_t steps) {
  constexpr double kRho = 7;
  const bool karras = spacing == SigmaSpacing::kKarras;
  const auto warp = [&](double sigma) { return karras ? std::pow(sigma, 1 / kRho) : std::log(sigma); };
  const auto unwarp = [&](double x) { return karras ? std::pow(x, kRho) : std::exp(x); };
  std::vector<double> sigmas;
  for (int64_t i = 0; i < steps; ++i) {
    const double ramp = steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    sigmas.push_back(unwarp(warp(largest) + ramp * (warp(smallest) - warp(largest))));
  }
  return sigmas;
}

}  // namespace freeatm::diffusion
