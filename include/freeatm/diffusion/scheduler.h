// SPDX-License-Identifier: Apache-2.0
// How a diffusion model's prediction moves a sample towards the picture, and how a picture is noised.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/models/model_config.h"

namespace freeatm::diffusion {

/// What the model was trained to predict, from x_t = sqrt(a) x_0 + sqrt(1 - a) eps.
enum class Prediction { kEpsilon, kVelocity, kSample };   // eps, v = sqrt(a) eps - sqrt(1 - a) x_0, or x_0
std::string_view prediction_name(Prediction prediction);  // diffusers': "epsilon", "v_prediction", "sample"
/// x_0 as a model's output at x_t says it. alpha_bar: a, of that timestep; all [B, C, h, w]
at::Tensor predicted_sample(Prediction prediction, const at::Tensor& output, const at::Tensor& noisy, double alpha_bar);
/// Throws UserError(where, "prediction_type", ...).
Prediction prediction_from_name(const std::string& name, const std::string& where);

/// The noise of training: what all schedulers share.
struct NoiseSchedule {
  int64_t num_train_timesteps = 1000;
  double beta_start = 0.0001, beta_end = 0.02;
  std::string beta_schedule = "linear";  // linear, scaled_linear
  Prediction prediction = Prediction::kEpsilon;
  bool rescale_betas_zero_snr = false;  // nothing of the picture is left at the last timestep, Lin et al. 2023

  static NoiseSchedule from_config(models::ModelConfig& config);
  /// The product of 1 - beta up to each timestep, [num_train_timesteps]; computed in fp32 as diffusers does.
  std::vector<double> alphas_cumprod() const;
};

/// One run from noise to picture: what its steps share, and the history where a method needs one.
class Trajectory {
 public:
  virtual ~Trajectory() = default;
  /// Of each call of the model; it never rises. PNDM calls the model more often than it makes steps.
  virtual const std::vector<double>& timesteps() const = 0;
  /// Deviation of the noise that the run starts from.
  virtual double initial_sigma() const { return 1; }
  /// True where `step` needs noise.
  virtual bool is_stochastic() const { return false; }
  /// The model's input for call i: x_t with a = alpha_bar(i).
  virtual double alpha_bar(int64_t i) const = 0;
  virtual at::Tensor scale_input(int64_t i, const at::Tensor& sample) const;
  /// One denoising step, i = 0 first and none left out.
  ///   model_output, sample: [B, C, h, w]; noise: the same shape, standard normal, where is_stochastic()
  /// Returns the sample that call i + 1 begins with.
  virtual at::Tensor step(int64_t i, const at::Tensor& model_output, const at::Tensor& sample,
                          const at::Tensor& noise = {}) = 0;
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// A run of so many steps. Throws UserError for a number of steps that the schedule cannot make.
  virtual std::unique_ptr<Trajectory> start(int64_t steps) const = 0;
  /// A clean sample as the model sees it at a timestep: x_t. noise: standard normal, of the sample's shape.
  at::Tensor add_noise(const at::Tensor& sample, const at::Tensor& noise, int64_t timestep) const;
  const NoiseSchedule& noise() const { return noise_; }

 protected:
  explicit Scheduler(const NoiseSchedule& noise);
  const std::vector<double>& alphas_cumprod() const { return alphas_cumprod_; }

 private:
  NoiseSchedule noise_;
  std::vector<double> alphas_cumprod_;  // [num_train_timesteps]
};

/// Short names of the schedulers that there are: ddim, dpm++, euler, pndm.
std::vector<std::string> scheduler_names();

/// The short name of the class that `folder`/scheduler_config.json names. Throws UserError for another class.
std::string scheduler_name(const std::string& folder);

/// The scheduler that `folder`/scheduler_config.json describes, as diffusers' StableDiffusionPipeline would run it.
///   name: one of scheduler_names(), which then reads the file in place of the class that it names
///   eta: 0 deterministic, 1 DDPM's variance; DDIM's alone
/// Throws UserError.
std::unique_ptr<Scheduler> make_scheduler(const std::string& folder, const std::optional<std::string>& name = {},
                                          double eta = 0);

}  // namespace freeatm::diffusion
