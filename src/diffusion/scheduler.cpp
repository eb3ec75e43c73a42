// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/scheduler.h"

#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include <ATen/ops/cumprod.h>
#include <ATen/ops/linspace.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/diffusion/ddim.h"

namespace freeatm::diffusion {

namespace {

constexpr std::array<std::pair<const char*, Prediction>, 3> kPredictions = {
    {{"epsilon", Prediction::kEpsilon}, {"v_prediction", Prediction::kVelocity}, {"sample", Prediction::kSample}}};

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

NoiseSchedule NoiseSchedule::from_config(models::ModelConfig& config) {
  NoiseSchedule n;
  n.num_train_timesteps = config.integer("num_train_timesteps", n.num_train_timesteps);
  n.beta_start = config.number("beta_start", n.beta_start);
  n.beta_end = config.number("beta_end", n.beta_end);
  n.beta_schedule = config.text("beta_schedule", n.beta_schedule);
  n.prediction = prediction_from_name(config.text("prediction_type", "epsilon"), config.path());
  config.fixed("trained_betas", nullptr);
  config.fixed("rescale_betas_zero_snr", false);

  if (n.num_train_timesteps < 1)
    throw UserError(config.path(), "num_train_timesteps", "{} is not at least 1", n.num_train_timesteps);
  for (const auto& [key, beta] : {std::pair("beta_start", n.beta_start), std::pair("beta_end", n.beta_end)}) {
    if (!(beta > 0 && beta < 1)) throw UserError(config.path(), key, "{} is not in (0, 1)", beta);
  }
  if (n.beta_schedule != "linear" && n.beta_schedule != "scaled_linear") {
    throw UserError(config.path(), "beta_schedule", "'{}' is not linear or scaled_linear", n.beta_schedule);
  }
  return n;
}

std::vector<double> NoiseSchedule::alphas_cumprod() const {
  const bool scaled = beta_schedule == "scaled_linear";  // linear in the square root
  const double first = scaled ? std::sqrt(beta_start) : beta_start, last = scaled ? std::sqrt(beta_end) : beta_end;
  at::Tensor betas = at::linspace(first, last, num_train_timesteps, at::kFloat);
  if (scaled) betas = betas.square();
  const at::Tensor product = at::cumprod(1 - betas, 0).to(at::kDouble);
  return {product.data_ptr<double>(), product.data_ptr<double>() + product.numel()};
}

std::unique_ptr<Scheduler> make_scheduler(const std::string& folder) {
  using Maker = std::function<std::unique_ptr<Scheduler>(const std::string& path)>;
  static const std::map<std::string, Maker> kSchedulers = {
      {"DDIMScheduler", [](const std::string& path) { return std::make_unique<Ddim>(DdimOptions::from_config(path)); }},
  };
  const std::string path = folder + "/scheduler_config.json";
  require_file(path, "scheduler");
  const std::string name = models::ModelConfig(path).text("_class_name", "");
  const auto found = kSchedulers.find(name);
  if (found != kSchedulers.end()) return found->second(path);
  std::vector<std::string> known;
  for (const auto& entry : kSchedulers) known.push_back(entry.first);
  throw UserError(path, "_class_name", "'{}' is not {}", name, one_of(known));
}

}  // namespace freeatm::diffusion
