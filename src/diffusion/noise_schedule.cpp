// SPDX-License-Identifier: Apache-2.0
// Prediction and NoiseSchedule of scheduler.h.
#include <array>
#include <cmath>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/sub.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/diffusion/scheduler.h"

#include "scheduler_config.h"

namespace freeatm::diffusion {
namespace {

constexpr std::array<std::pair<const char*, Prediction>, 3> kPredictions = {
    {{"epsilon", Prediction::kEpsilon}, {"v_prediction", Prediction::kVelocity}, {"sample", Prediction::kSample}}};

// Lin et al. 2023, algorithm 1: sqrt(alpha_bar) shifted to end at 0 and scaled to begin where it did. Through the betas
// and back, as diffusers goes, so that fp32 rounds alike.
at::Tensor with_zero_terminal_snr(const at::Tensor& alphas_cumprod) {
  const at::Tensor root = alphas_cumprod.sqrt();
  const at::Tensor first = root[0], last = root[-1];
  const at::Tensor product = ((root - last) * (first / (first - last))).square();
  const at::Tensor alphas = at::cat({product.slice(0, 0, 1), product.slice(0, 1) / product.slice(0, 0, -1)});
  const at::Tensor betas = 1 - alphas;
  return at::cumprod(1 - betas, 0);
}

}  // namespace

std::string_view prediction_name(Prediction prediction) { return kPredictions[static_cast<size_t>(prediction)].first; }

Prediction prediction_from_name(const std::string& name, const std::string& where) {
  std::vector<std::string> known;
  for (const auto& [text, prediction] : kPredictions) {
    if (name == text) return prediction;
    known.emplace_back(text);
  }
  throw UserError(where, "prediction_type", "'{}' is not {}", name, one_of(known));
}

at::Tensor predicted_sample(Prediction prediction, const at::Tensor& output, const at::Tensor& noisy,
                            double alpha_bar) {
  const double signal = std::sqrt(alpha_bar), noise = std::sqrt(1 - alpha_bar);
  if (prediction == Prediction::kEpsilon) return at::sub(noisy, output, noise).div_(signal);
  if (prediction == Prediction::kSample) return output.clone();
  return (signal * noisy).sub_(output, noise);
}

NoiseSchedule NoiseSchedule::from_config(models::ModelConfig& config) {
  NoiseSchedule n;
  n.num_train_timesteps = config.integer("num_train_timesteps", n.num_train_timesteps);
  n.beta_start = config.number("beta_start", n.beta_start);
  n.beta_end = config.number("beta_end", n.beta_end);
  n.beta_schedule = choice(config, "beta_schedule", n.beta_schedule, {"linear", "scaled_linear"});
  n.prediction = prediction_from_name(config.text("prediction_type", "epsilon"), config.path());
  n.rescale_betas_zero_snr = config.flag("rescale_betas_zero_snr", false);
  config.fixed("trained_betas", nullptr);

  if (n.num_train_timesteps < 2 || n.num_train_timesteps > 1000000)
    throw UserError(config.path(), "num_train_timesteps", "{} is not in [2, 1000000]", n.num_train_timesteps);
  for (const auto& [key, beta] : {std::pair("beta_start", n.beta_start), std::pair("beta_end", n.beta_end)}) {
    if (!(beta > 0 && beta < 1)) throw UserError(config.path(), key, "{} is not in (0, 1)", beta);
  }
  return n;
}

std::vector<double> NoiseSchedule::alphas_cumprod() const {
  const bool scaled = beta_schedule == "scaled_linear";  // linear in the square root
  const double first = scaled ? std::sqrt(beta_start) : beta_start, last = scaled ? std::sqrt(beta_end) : beta_end;
  at::Tensor betas = at::linspace(first, last, num_train_timesteps, at::kFloat);
  if (scaled) betas = betas.square();
  at::Tensor product = at::cumprod(1 - betas, 0);
  if (rescale_betas_zero_snr) product = with_zero_terminal_snr(product);
  product = product.to(at::kDouble);
  return {product.data_ptr<double>(), product.data_ptr<double>() + product.numel()};
}

}  // namespace freeatm::diffusion
