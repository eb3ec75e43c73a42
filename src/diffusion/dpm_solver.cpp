// SPDX-License-Identifier: Apache-2.0
#include "dpm_solver.h"

#include <cmath>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/sub.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

#include "scheduler_config.h"
#include "timesteps.h"

namespace freeatm::diffusion {
namespace {

/// x = alpha x_0 + sigma eps, alpha^2 + sigma^2 = 1; lambda = log(alpha / sigma).
struct Level {
  double alpha, sigma, lambda;
};

// sigma_ratio: sigma / alpha, what sigmas.h calls sigma.
Level level_of(double sigma_ratio) {
  const double alpha = 1 / std::hypot(sigma_ratio, 1);
  return {alpha, sigma_ratio * alpha, -std::log(sigma_ratio)};
}

class DpmSolverTrajectory final : public Trajectory {
 public:
  DpmSolverTrajectory(const DpmSolverOptions& options, std::vector<double> timesteps, const std::vector<double>& sigmas)
      : options_(options), timesteps_(std::move(timesteps)) {
    for (const double sigma : sigmas) levels_.push_back(level_of(sigma));
  }

  const std::vector<double>& timesteps() const override { return timesteps_; }
  double alpha_bar(int64_t i) const override { return levels_[i].alpha * levels_[i].alpha; }

  at::Tensor step(int64_t i, const at::Tensor& model_output, const at::Tensor& sample, const at::Tensor&) override {
    const Level here = levels_[i], next = levels_[i + 1];
    const at::Tensor x0 = picture(model_output, sample, here);
    const double h = next.lambda - here.lambda;          // infinite where the run ends at sigma 0
    const double weight = -next.alpha * std::expm1(-h);  // alpha (1 - e^-h)
    at::Tensor out = (next.sigma / here.sigma * sample).add_(x0, weight);
    if (!is_first_order(i)) {
      const double r = (here.lambda - levels_[i - 1].lambda) / h;
      const bool midpoint = options_.solver_type == "midpoint";
      out.add_(x0 - previous_x0_, (midpoint ? 0.5 * weight : next.alpha - weight / h) / r);
    }
    previous_x0_ = x0;
    return out;
  }

 private:
  bool is_first_order(int64_t i) const {
    const auto steps = static_cast<int64_t>(timesteps_.size());
    const bool final_is =
        options_.euler_at_final || options_.ends_at_zero || (options_.lower_order_final && steps < 15);
    return options_.solver_order == 1 || i == 0 || (i == steps - 1 && final_is);
  }

  at::Tensor picture(const at::Tensor& output, const at::Tensor& sample, const Level& level) const {
    if (options_.noise.prediction == Prediction::kSample) return output;
    if (options_.noise.prediction == Prediction::kEpsilon)
      return at::sub(sample, output, level.sigma).div_(level.alpha);
    return (level.alpha * sample).sub_(output, level.sigma);
  }

  DpmSolverOptions options_;
  std::vector<double> timesteps_;  // [steps]
  std::vector<Level> levels_;      // [steps + 1]
  at::Tensor previous_x0_;
};

// One more than is asked for, without the last.
std::vector<double> solver_timesteps(const DpmSolverOptions& options, int64_t steps) {
  const int64_t trained = options.noise.num_train_timesteps;
  if (options.timestep_spacing == "trailing") return trailing_timesteps(steps, trained);
  std::vector<double> timesteps = spaced_timesteps(options.timestep_spacing, steps + 1, trained, options.steps_offset);
  timesteps.pop_back();
  return timesteps;
}

}  // namespace

DpmSolverOptions DpmSolverOptions::from_config(models::ModelConfig& config) {
  DpmSolverOptions o;
  o.noise = NoiseSchedule::from_config(config);
  o.timestep_spacing = read_spacing(config, o.timestep_spacing);
  o.steps_offset = config.integer("steps_offset", o.steps_offset);
  o.solver_order = config.integer("solver_order", o.solver_order);
  if (o.solver_order != 1 && o.solver_order != 2)
    throw UserError(config.path(), "solver_order", "{} is not 1 or 2", o.solver_order);
  // diffusers reads UniPC's and DEIS's kinds of solver as midpoint, and DEIS's algorithm as dpmsolver++.
  o.solver_type = choice(config, "solver_type", o.solver_type, {"midpoint", "heun", "logrho", "bh1", "bh2"});
  if (o.solver_type != "heun") o.solver_type = "midpoint";
  o.lower_order_final = config.flag("lower_order_final", o.lower_order_final);
  o.euler_at_final = config.flag("euler_at_final", o.euler_at_final);
  o.sigmas = read_sigma_spacing(config);
  o.ends_at_zero = read_ends_at_zero(config);
  choice(config, "algorithm_type", "dpmsolver++", {"dpmsolver++", "deis"});
  config.fixed("thresholding", false);
  config.fixed("lambda_min_clipped", nullptr);
  const std::string variance = config.text("variance_type", "");  // the fixed ones are DDPM's and mean nothing here
  if (variance.starts_with("learned"))
    throw UserError(config.path(), "variance_type", "'{}' is not implemented: a model of half the channels is wanted",
                    variance);
  config.fixed("use_dynamic_shifting", false);
  finish(config, "DPMSolverMultistepScheduler");
  return o;
}

DpmSolver::DpmSolver(const DpmSolverOptions& options)
    : Scheduler(options.noise), options_(options), training_(options.noise) {}

std::unique_ptr<Trajectory> DpmSolver::start(int64_t steps) const {
  const int64_t trained = noise().num_train_timesteps;
  require_steps(steps, trained - 1);
  std::vector<double> timesteps = solver_timesteps(options_, steps);
  require_trained(timesteps, trained, options_.steps_offset);

  std::vector<double> sigmas;
  if (options_.sigmas == SigmaSpacing::kTimesteps) {
    for (const double timestep : timesteps) sigmas.push_back(training_.at(timestep));
  } else {  // over all of training's, at whole timesteps or with exponential ones cut to whole
    sigmas = spaced_sigmas(options_.sigmas, training_.largest(), training_.smallest(), steps);
    const bool karras = options_.sigmas == SigmaSpacing::kKarras;
    for (size_t i = 0; i < sigmas.size(); ++i) {
      const double timestep = training_.timestep_of(sigmas[i]);
      timesteps[i] = karras ? std::nearbyint(timestep) : std::trunc(timestep);
    }
  }
  sigmas.push_back(options_.ends_at_zero ? 0 : training_.smallest());
  for (double& sigma : sigmas) sigma = static_cast<float>(sigma);
  return std::make_unique<DpmSolverTrajectory>(options_, std::move(timesteps), sigmas);
}

}  // namespace freeatm::diffusion
