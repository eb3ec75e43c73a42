// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/ddim.h"

#include <cmath>
#include <utility>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

namespace freeatm::diffusion {
namespace {

// Where the prediction says that the picture and the noise are: (x0, eps), at alpha_bar = a.
std::pair<at::Tensor, at::Tensor> split_prediction(Prediction prediction, const at::Tensor& output,
                                                   const at::Tensor& sample, double a) {
  const double signal = std::sqrt(a), noise = std::sqrt(1 - a);
  if (prediction == Prediction::kEpsilon) return {at::sub(sample, output, noise).div_(signal), output};
  if (prediction == Prediction::kSample) return {output.clone(), at::sub(sample, output, signal).div_(noise)};
  return {(signal * sample).sub_(output, noise), (signal * output).add_(sample, noise)};
}

// numpy.arange and numpy.round as diffusers uses them, to the bit: timesteps must not depend on how 1000 / 30 is
// rounded.
std::vector<double> make_timesteps(const DdimOptions& options, int64_t steps) {
  const int64_t trained = options.noise.num_train_timesteps;
  std::vector<double> timesteps(steps);
  if (options.timestep_spacing == "leading") {
    for (int64_t i = 0; i < steps; ++i) timesteps[i] = (steps - 1 - i) * (trained / steps) + options.steps_offset;
  } else {
    const double first = trained, stride = (first - first / steps) - first;
    for (int64_t i = 0; i < steps; ++i) timesteps[i] = std::nearbyint(first + i * stride) - 1;
  }
  return timesteps;
}

class DdimTrajectory final : public Trajectory {
 public:
  DdimTrajectory(const DdimOptions& options, const std::vector<double>& alphas_cumprod, int64_t steps, double eta)
      : options_(options), timesteps_(make_timesteps(options, steps)), eta_(eta) {
    const int64_t stride = options.noise.num_train_timesteps / steps;
    const double first_alpha = options.set_alpha_to_one ? 1.0 : alphas_cumprod[0];
    for (const double timestep : timesteps_) {
      // One stride further, which for trailing spacing is not quite the next step's timestep.
      const int64_t previous = static_cast<int64_t>(timestep) - stride;
      alphas_.push_back(
          {alphas_cumprod[static_cast<int64_t>(timestep)], previous >= 0 ? alphas_cumprod[previous] : first_alpha});
    }
  }

  const std::vector<double>& timesteps() const override { return timesteps_; }
  double initial_sigma() const override { return 1.0; }
  bool is_stochastic() const override { return eta_ > 0; }
  at::Tensor scale_input(int64_t, const at::Tensor& sample) const override { return sample; }

  at::Tensor step(int64_t i, const at::Tensor& model_output, const at::Tensor& sample,
                  const at::Tensor& noise) override {
    const auto [a, a_prev] = alphas_[i];
    auto [x0, eps] = split_prediction(options_.noise.prediction, model_output, sample, a);
    if (options_.clip_sample) x0.clamp_(-options_.clip_sample_range, options_.clip_sample_range);
    const double sigma = eta_ * std::sqrt((1 - a_prev) / (1 - a) * (1 - a / a_prev));
    // The direction keeps the model's own epsilon even where x0 was clipped: diffusers' default, and what checkpoints
    // were tuned with.
    at::Tensor out = x0.mul_(std::sqrt(a_prev)).add_(eps, std::sqrt(1 - a_prev - sigma * sigma));
    return is_stochastic() ? out.add_(noise, sigma) : out;
  }

 private:
  struct Alphas {
    double here, previous;
  };
  DdimOptions options_;
  std::vector<double> timesteps_;
  std::vector<Alphas> alphas_;  // [steps]
  double eta_;
};

}  // namespace

DdimOptions DdimOptions::from_config(const std::string& path) {
  models::ModelConfig config(path);
  DdimOptions o;
  config.fixed("_class_name", "DDIMScheduler");
  o.noise = NoiseSchedule::from_config(config);
  o.timestep_spacing = config.text("timestep_spacing", o.timestep_spacing);
  o.steps_offset = config.integer("steps_offset", o.steps_offset);
  o.set_alpha_to_one = config.flag("set_alpha_to_one", o.set_alpha_to_one);
  o.clip_sample = config.flag("clip_sample", o.clip_sample);
  o.clip_sample_range = config.number("clip_sample_range", o.clip_sample_range);
  config.fixed("thresholding", false);
  config.pass_over({"dynamic_thresholding_ratio", "sample_max_value"});  // of thresholding
  config.pass_over({"_diffusers_version"});
  config.pass_over({"skip_prk_steps"});  // PNDM's, left over in Stable Diffusion 2.1's file
  config.finish();

  if (o.timestep_spacing != "leading" && o.timestep_spacing != "trailing") {
    throw UserError(path, "timestep_spacing", "'{}' is not leading or trailing", o.timestep_spacing);
  }
  return o;
}

Ddim::Ddim(const DdimOptions& options) : options_(options), alphas_cumprod_(options.noise.alphas_cumprod()) {}

std::unique_ptr<Trajectory> Ddim::start(int64_t steps, double eta) const {
  const int64_t trained = options_.noise.num_train_timesteps;
  if (steps < 1 || steps > trained) throw UserError("", "sampler.steps", "{} is not in [1, {}]", steps, trained);
  const double first = make_timesteps(options_, steps)[0];
  if (first >= trained) {
    throw UserError("", "sampler.steps",
                    "{} steps start at timestep {} with steps_offset {}, beyond the {} that were trained", steps, first,
                    options_.steps_offset, trained);
  }
  return std::make_unique<DdimTrajectory>(options_, alphas_cumprod_, steps, eta);
}

at::Tensor Ddim::add_noise(const at::Tensor& sample, const at::Tensor& noise, int64_t timestep) const {
  FREEATM_CHECK(timestep >= 0 && timestep < options_.noise.num_train_timesteps, "timestep {}", timestep);
  const double a = alphas_cumprod_[timestep];
  return (std::sqrt(a) * sample).add_(noise, std::sqrt(1 - a));
}

}  // namespace freeatm::diffusion
