// SPDX-License-Identifier: Apache-2.0
#include "pndm.h"

#include <array>
#include <cmath>
#include <utility>

#include <ATen/TensorOperators.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

#include "scheduler_config.h"
#include "timesteps.h"

namespace freeatm::diffusion {
namespace {

/// The model is called at `timestep`; then a sample moves between two others. Below 0 lies the end.
struct Call {
  int64_t timestep, from, to;
};

constexpr int64_t kRungeKuttaSteps = 3, kCallsPerStep = 4;

// Liu et al. 2022, eq. 12: four calls each, at a step's start, twice in its middle, and at its end.
std::vector<Call> runge_kutta_calls(const std::vector<int64_t>& t, int64_t stride) {
  const int64_t half = stride / 2;
  std::vector<Call> calls;
  for (int64_t k = 0; k < kRungeKuttaSteps; ++k) {
    const int64_t middle = t[k + 1] + half;
    calls.push_back({t[k], t[k], t[k] - half});
    calls.push_back({middle, t[k], middle});
    calls.push_back({middle, t[k], middle - half});
    calls.push_back({t[k + 1], t[k], t[k + 1]});
  }
  return calls;
}

std::vector<Call> make_calls(const std::vector<int64_t>& t, int64_t stride, bool skip_prk_steps) {
  std::vector<Call> calls;
  if (!skip_prk_steps) calls = runge_kutta_calls(t, stride);
  for (size_t k = skip_prk_steps ? 0 : kRungeKuttaSteps; k < t.size(); ++k) {
    // The first step is made once more from the mean of both its ends.
    if (skip_prk_steps && k == 1) calls.push_back({t[k], t[k] + stride, t[k]});
    calls.push_back({t[k], t[k], t[k] - stride});
  }
  return calls;
}

class PndmTrajectory final : public Trajectory {
 public:
  PndmTrajectory(const PndmOptions& options, const std::vector<double>& alphas_cumprod, std::vector<Call> calls)
      : options_(options), alphas_cumprod_(alphas_cumprod), calls_(std::move(calls)) {
    for (const Call& call : calls_) timesteps_.push_back(static_cast<double>(call.timestep));
  }

  const std::vector<double>& timesteps() const override { return timesteps_; }
  double alpha_bar(int64_t i) const override { return alpha(calls_[i].timestep); }

  at::Tensor step(int64_t i, const at::Tensor& model_output, const at::Tensor& sample, const at::Tensor&) override {
    if (!options_.skip_prk_steps && i < kRungeKuttaSteps * kCallsPerStep)
      return runge_kutta_step(i, model_output, sample);
    if (options_.skip_prk_steps && i == 0) first_sample_ = sample;
    if (options_.skip_prk_steps && i == 1) return move(calls_[i], first_sample_, (model_output + history_.back()) / 2);
    remember(model_output);
    return move(calls_[i], sample, multistep_output());
  }

 private:
  // Each of the four calls moves the sample that the step began with; the last by the weighted mean of all four.
  at::Tensor runge_kutta_step(int64_t i, const at::Tensor& model_output, const at::Tensor& sample) {
    constexpr std::array<double, kCallsPerStep> kWeights = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    const int64_t stage = i % kCallsPerStep;
    if (stage == 0) {
      first_sample_ = sample;
      remember(model_output);
    }
    const at::Tensor part = kWeights[stage] * model_output;
    mean_output_ = stage == 0 ? part : mean_output_ + part;
    return move(calls_[i], first_sample_, stage == kCallsPerStep - 1 ? mean_output_ : model_output);
  }

  void remember(const at::Tensor& model_output) {
    history_.push_back(model_output);
    if (history_.size() > 4) history_.erase(history_.begin());
  }

  // Adams and Bashforth's weights, for as many outputs as there are; the newest first.
  at::Tensor multistep_output() const {
    static const std::vector<std::vector<double>> kWeights = {
        {1}, {3. / 2, -1. / 2}, {23. / 12, -16. / 12, 5. / 12}, {55. / 24, -59. / 24, 37. / 24, -9. / 24}};
    const std::vector<double>& weights = kWeights[history_.size() - 1];
    at::Tensor output = weights[0] * history_.back();
    for (size_t k = 1; k < weights.size(); ++k) output.add_(history_[history_.size() - 1 - k], weights[k]);
    return output;
  }

  double alpha(int64_t timestep) const {
    if (timestep >= 0) return alphas_cumprod_[timestep];
    return options_.set_alpha_to_one ? 1.0 : alphas_cumprod_[0];
  }

  // Liu et al. 2022, eq. 11.
  at::Tensor move(const Call& call, const at::Tensor& sample, const at::Tensor& output) const {
    const double a = alpha(call.from), b = alpha(call.to);
    const bool velocity = options_.noise.prediction == Prediction::kVelocity;
    const at::Tensor eps = velocity ? std::sqrt(a) * output + std::sqrt(1 - a) * sample : output;
    return (std::sqrt(b / a) * sample).sub_(eps, (b - a) / (a * std::sqrt(1 - b) + std::sqrt(a * (1 - a) * b)));
  }

  PndmOptions options_;
  std::vector<double> alphas_cumprod_;  // [num_train_timesteps]
  std::vector<Call> calls_;
  std::vector<double> timesteps_;          // of the calls
  std::vector<at::Tensor> history_;        // the model's last outputs, at most 4
  at::Tensor first_sample_, mean_output_;  // of a step of several calls
};

}  // namespace

PndmOptions PndmOptions::from_config(models::ModelConfig& config) {
  PndmOptions o;
  config.fixed("rescale_betas_zero_snr", false);  // PNDM divides by the signal
  o.noise = NoiseSchedule::from_config(config);
  if (o.noise.prediction == Prediction::kSample)
    throw UserError(config.path(), "prediction_type", "'sample' is not epsilon or v_prediction, which PNDM is for");
  o.timestep_spacing = read_spacing(config, o.timestep_spacing);
  o.steps_offset = config.integer("steps_offset", o.steps_offset);
  o.set_alpha_to_one = config.flag("set_alpha_to_one", o.set_alpha_to_one);
  o.skip_prk_steps = config.flag("skip_prk_steps", o.skip_prk_steps);
  finish(config, "PNDMScheduler");
  return o;
}

std::unique_ptr<Trajectory> Pndm::start(int64_t steps) const {
  const int64_t trained = noise().num_train_timesteps;
  require_steps(steps, trained);
  if (!options_.skip_prk_steps && steps <= kRungeKuttaSteps) {
    throw UserError("", "sampler.steps", "{} is not at least {}, which PNDM needs without skip_prk_steps", steps,
                    kRungeKuttaSteps + 1);
  }
  const std::vector<double> timesteps =
      spaced_timesteps(options_.timestep_spacing, steps, trained, options_.steps_offset);
  require_trained(timesteps, trained, options_.steps_offset);
  return std::make_unique<PndmTrajectory>(
      options_, alphas_cumprod(),
      make_calls({timesteps.begin(), timesteps.end()}, trained / steps, options_.skip_prk_steps));
}

}  // namespace freeatm::diffusion
