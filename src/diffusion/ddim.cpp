// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/ddim.h"

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

// Where the prediction says that the picture and the noise are: (x0, eps), at alpha_bar = a.
std::pair<at::Tensor, at::Tensor> split_prediction(Prediction prediction, const at::Tensor& output,
                                                   const at::Tensor& sample, double a) {
  const double signal = std::sqrt(a), noise = std::sqrt(1 - a);
  at::Tensor x0 = predicted_sample(prediction, output, sample, a);
  if (prediction == Prediction::kEpsilon) return {std::move(x0), output};
  if (prediction == Prediction::kSample) return {std::move(x0), at::sub(sample, output, signal).div_(noise)};
  return {std::move(x0), (signal * output).add_(sample, noise)};
}

struct Alphas {
  double here, previous;
};

class DdimTrajectory final : public Trajectory {
 public:
  DdimTrajectory(const DdimOptions& options, std::vector<double> timesteps, std::vector<Alphas> alphas)
      : options_(options), timesteps_(std::move(timesteps)), alphas_(std::move(alphas)) {}

  const std::vector<double>& timesteps() const override { return timesteps_; }
  double alpha_bar(int64_t i) const override { return alphas_[i].here; }
  bool is_stochastic() const override { return options_.eta > 0; }

  at::Tensor step(int64_t i, const at::Tensor& model_output, const at::Tensor& sample,
                  const at::Tensor& noise) override {
    const auto [a, a_prev] = alphas_[i];
    auto [x0, eps] = split_prediction(options_.noise.prediction, model_output, sample, a);
    if (options_.clip_sample) x0.clamp_(-options_.clip_sample_range, options_.clip_sample_range);
    const double sigma = options_.eta * std::sqrt((1 - a_prev) / (1 - a) * (1 - a / a_prev));
    // The direction keeps the model's own epsilon even where x0 was clipped: diffusers' default, and what checkpoints
    // were tuned with.
    at::Tensor out = x0.mul_(std::sqrt(a_prev)).add_(eps, std::sqrt(1 - a_prev - sigma * sigma));
    return is_stochastic() ? out.add_(noise, sigma) : out;
  }

 private:
  DdimOptions options_;
  std::vector<double> timesteps_;
  std::vector<Alphas> alphas_;  // [steps]
};

}  // namespace

DdimOptions DdimOptions::from_config(const std::string& path) {
  models::ModelConfig config(path, read_scheduler_config(path));
  config.fixed("_class_name", "DDIMScheduler");
  return from_config(config);
}

DdimOptions DdimOptions::from_config(models::ModelConfig& config) {
  DdimOptions o;
  o.noise = NoiseSchedule::from_config(config);
  o.timestep_spacing = read_spacing(config, o.timestep_spacing);
  o.steps_offset = config.integer("steps_offset", o.steps_offset);
  o.set_alpha_to_one = config.flag("set_alpha_to_one", o.set_alpha_to_one);
  o.clip_sample = config.flag("clip_sample", o.clip_sample);
  o.clip_sample_range = config.number("clip_sample_range", o.clip_sample_range);
  config.fixed("thresholding", false);
  finish(config, "DDIMScheduler");
  return o;
}

std::unique_ptr<Trajectory> Ddim::start(int64_t steps) const {
  const int64_t trained = noise().num_train_timesteps;
  require_steps(steps, trained);
  std::vector<double> timesteps = spaced_timesteps(options_.timestep_spacing, steps, trained, options_.steps_offset);
  require_trained(timesteps, trained, options_.steps_offset);

  const int64_t stride = trained / steps;
  const double first_alpha = options_.set_alpha_to_one ? 1.0 : alphas_cumprod()[0];
  std::vector<Alphas> alphas;
  for (const double timestep : timesteps) {
    const auto here = static_cast<int64_t>(timestep);
    const int64_t previous = here - stride;  // with trailing and linspace not quite the next step's timestep
    alphas.push_back({alphas_cumprod()[here], previous >= 0 ? alphas_cumprod()[previous] : first_alpha});
  }
  if (alphas[0].here == 0 && noise().prediction == Prediction::kEpsilon) {
    throw UserError(
        "", "prediction_type",
        "epsilon says nothing of the picture at timestep {}, where rescale_betas_zero_snr leaves noise alone",
        timesteps[0]);
  }
  return std::make_unique<DdimTrajectory>(options_, std::move(timesteps), std::move(alphas));
}

}  // namespace freeatm::diffusion
