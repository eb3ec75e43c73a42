// SPDX-License-Identifier: Apache-2.0
#include "euler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <nlohmann/json.hpp>

#include "scheduler_config.h"
#include "timesteps.h"

namespace freeatm::diffusion {
namespace {

class EulerTrajectory final : public Trajectory {
 public:
  EulerTrajectory(const EulerOptions& options, std::vector<double> timesteps, std::vector<double> sigmas)
      : options_(options), timesteps_(std::move(timesteps)), sigmas_(std::move(sigmas)) {}

  const std::vector<double>& timesteps() const override { return timesteps_; }

  double initial_sigma() const override {
    const double largest = *std::ranges::max_element(sigmas_);
    // Leading spacing begins before all signal is gone: there the picture's own unit variance is part of x.
    return options_.timestep_spacing == "leading" ? std::hypot(largest, 1) : largest;
  }

  double alpha_bar(int64_t i) const override { return 1 / (sigmas_[i] * sigmas_[i] + 1); }

  at::Tensor scale_input(int64_t i, const at::Tensor& sample) const override {
    return sample / std::hypot(sigmas_[i], 1);
  }

  at::Tensor step(int64_t i, const at::Tensor& model_output, const at::Tensor& sample, const at::Tensor&) override {
    const double sigma = sigmas_[i];
    return at::add(sample, direction(model_output, sample, sigma), sigmas_[i + 1] - sigma);
  }

 private:
  // dx / dsigma = (x - x0) / sigma: the noise.
  at::Tensor direction(const at::Tensor& output, const at::Tensor& sample, double sigma) const {
    if (options_.noise.prediction == Prediction::kEpsilon) return output;
    if (options_.noise.prediction == Prediction::kSample) return (sample - output).div_(sigma);
    const double total = std::hypot(sigma, 1);  // x / total is what the model saw, of unit variance
    return (output / total).add_(sample, sigma / (total * total));
  }

  EulerOptions options_;
  std::vector<double> timesteps_;  // [steps]
  std::vector<double> sigmas_;     // [steps + 1]
};

// Not rounded where spacing is linspace: Euler's timesteps are real numbers, in fp32.
std::vector<double> euler_timesteps(const EulerOptions& options, int64_t steps) {
  const int64_t trained = options.noise.num_train_timesteps;
  if (options.timestep_spacing == "linspace") return linspace_timesteps(steps, trained);
  return spaced_timesteps(options.timestep_spacing, steps, trained, options.steps_offset);
}

void round_to_float(std::vector<double>& values) {
  for (double& value : values) value = static_cast<float>(value);
}

}  // namespace

EulerOptions EulerOptions::from_config(models::ModelConfig& config) {
  EulerOptions o;
  o.noise = NoiseSchedule::from_config(config);
  o.timestep_spacing = read_spacing(config, o.timestep_spacing);
  o.steps_offset = config.integer("steps_offset", o.steps_offset);
  o.interpolation_type = choice(config, "interpolation_type", o.interpolation_type, {"linear", "log_linear"});
  o.sigmas = read_sigma_spacing(config);
  o.ends_at_zero = read_ends_at_zero(config);
  config.fixed("timestep_type", "discrete");
  config.fixed("sigma_min", nullptr);
  config.fixed("sigma_max", nullptr);
  finish(config, "EulerDiscreteScheduler");
  return o;
}

Euler::Euler(const EulerOptions& options) : Scheduler(options.noise), options_(options), training_(options.noise) {}

std::unique_ptr<Trajectory> Euler::start(int64_t steps) const {
  const int64_t trained = noise().num_train_timesteps;
  require_steps(steps, trained);
  std::vector<double> timesteps = euler_timesteps(options_, steps);
  require_trained(timesteps, trained, options_.steps_offset);
  round_to_float(timesteps);

  std::vector<double> sigmas;
  if (options_.interpolation_type == "log_linear") {
    sigmas = spaced_sigmas(SigmaSpacing::kExponential, training_.largest(), training_.smallest(), steps + 1);
  } else {
    for (const double timestep : timesteps) sigmas.push_back(training_.at(timestep));
  }
  if (options_.sigmas != SigmaSpacing::kTimesteps) {
    sigmas = spaced_sigmas(options_.sigmas, sigmas.front(), sigmas.back(), steps);
    std::ranges::transform(sigmas, timesteps.begin(), [&](double sigma) { return training_.timestep_of(sigma); });
    round_to_float(timesteps);
  }
  sigmas.push_back(options_.ends_at_zero ? 0 : training_.smallest());
  round_to_float(sigmas);
  return std::make_unique<EulerTrajectory>(options_, std::move(timesteps), std::move(sigmas));
}

}  // namespace freeatm::diffusion
