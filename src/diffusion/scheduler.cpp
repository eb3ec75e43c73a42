// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/scheduler.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/diffusion/ddim.h"

#include "dpm_solver.h"
#include "euler.h"
#include "pndm.h"
#include "scheduler_config.h"

namespace freeatm::diffusion {
namespace {

using models::ModelConfig;

template <class S, class Options>
std::unique_ptr<Scheduler> make(ModelConfig& config, double) {
  return std::make_unique<S>(Options::from_config(config));
}

std::unique_ptr<Scheduler> make_ddim(ModelConfig& config, double eta) {
  DdimOptions options = DdimOptions::from_config(config);
  options.eta = eta;
  return std::make_unique<Ddim>(options);
}

struct Kind {
  const char *name, *class_name;  // ours, diffusers'
  std::unique_ptr<Scheduler> (*make)(ModelConfig& config, double eta);
};

constexpr Kind kKinds[] = {
    {"ddim", "DDIMScheduler", make_ddim},
    {"dpm++", "DPMSolverMultistepScheduler", make<DpmSolver, DpmSolverOptions>},
    {"euler", "EulerDiscreteScheduler", make<Euler, EulerOptions>},
    {"pndm", "PNDMScheduler", make<Pndm, PndmOptions>},
};

std::vector<std::string> names_of(const char* Kind::*member) {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.*member);
  return names;
}

const Kind& find_kind(const char* Kind::*member, const std::string& name, const std::string& where, const char* key) {
  const auto* found = std::ranges::find_if(kKinds, [&](const Kind& kind) { return kind.*member == name; });
  if (found != std::end(kKinds)) return *found;
  throw UserError(where, key, "'{}' is not {}{}", name, one_of(names_of(member)),
                  member == &Kind::class_name ? "; sampler.scheduler reads the file as one of these" : "");
}

const Kind& kind_of_file(const std::string& path, const nlohmann::json& root) {
  return find_kind(&Kind::class_name, ModelConfig(path, root).text("_class_name", ""), path, "_class_name");
}

// diffusers' StableDiffusionPipeline overrules these keys of its scheduler, whatever the file says.
void overrule(nlohmann::json& root, const std::string& path) {
  const nlohmann::json wanted = {{"steps_offset", 1}, {"clip_sample", false}};
  for (const auto& [key, value] : wanted.items()) {
    if (root.contains(key) && root[key] != value)
      log::warning("{}: {}: {} counts as {}, as in diffusers' StableDiffusionPipeline", path, key, root[key].dump(),
                   value.dump());
    root[key] = value;
  }
}

}  // namespace

at::Tensor Trajectory::scale_input(int64_t, const at::Tensor& sample) const { return sample; }

Scheduler::Scheduler(const NoiseSchedule& noise) : noise_(noise), alphas_cumprod_(noise.alphas_cumprod()) {}

at::Tensor Scheduler::add_noise(const at::Tensor& sample, const at::Tensor& noise, int64_t timestep) const {
  FREEATM_CHECK(timestep >= 0 && timestep < noise_.num_train_timesteps, "timestep {}", timestep);
  const double a = alphas_cumprod_[timestep];
  return (std::sqrt(a) * sample).add_(noise, std::sqrt(1 - a));
}

std::vector<std::string> scheduler_names() { return names_of(&Kind::name); }

std::string scheduler_name(const std::string& folder) {
  const std::string path = folder + "/scheduler_config.json";
  return kind_of_file(path, read_scheduler_config(path)).name;
}

std::unique_ptr<Scheduler> make_scheduler(const std::string& folder, const std::optional<std::string>& name,
                                          double eta) {
  const std::string path = folder + "/scheduler_config.json";
  nlohmann::json root = read_scheduler_config(path);
  const Kind& kind = name ? find_kind(&Kind::name, *name, "", "sampler.scheduler") : kind_of_file(path, root);
  if (eta > 0 && kind.make != make_ddim) {
    throw UserError("", "sampler.eta", "{} is for ddim alone; {} adds no noise", eta, kind.name);
  }
  overrule(root, path);
  ModelConfig config(path, root);
  return kind.make(config, eta);
}

}  // namespace freeatm::diffusion
