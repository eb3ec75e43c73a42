// SPDX-License-Identifier: Apache-2.0
// What a scheduler_config.json or the sampler's options may not ask for: one line each, which names the key.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/diffusion/scheduler.h"

#include "testing.h"

namespace freeatm::diffusion {
namespace {

struct Refusal {
  std::string config;  // the file's text
  std::string message;
  int64_t steps = 10;
  std::optional<std::string> name = {};
  double eta = 0;
};

std::string with(const std::string& class_name, const std::string& more) {
  return format("{\"_class_name\": \"{}\", {}}", class_name, more);
}
std::string ddim(const std::string& more) { return with("DDIMScheduler", more); }
std::string pndm(const std::string& more) { return with("PNDMScheduler", more); }
std::string euler(const std::string& more) { return with("EulerDiscreteScheduler", more); }
std::string dpm(const std::string& more) { return with("DPMSolverMultistepScheduler", more); }

const std::vector<Refusal> kRefusals = {
    {"", "is not JSON"},
    {"[1]", "is array, not an object"},
    {R"({"_class_name": 3})", "_class_name: 3 is not a string"},
    {R"({})", "_class_name: '' is not DDIMScheduler"},
    {R"({"_class_name": "LMSDiscreteScheduler"})", "'LMSDiscreteScheduler' is not DDIMScheduler, DPM"},
    {ddim(R"("steps_offset": 1)"), "'heun' is not ddim, dpm++, euler or pndm", 10, "heun"},
    {ddim(R"("clip_sampel": true)"), "clip_sampel: true is a setting that this model does not know; did you mean"},
    {ddim(R"("thresholding": true)"), "thresholding: true is not implemented"},
    {ddim(R"("trained_betas": [0.1, 0.2])"), "trained_betas"},
    {ddim(R"("prediction_type": "flow")"), "prediction_type: 'flow' is not epsilon, v_prediction or sample"},
    {ddim(R"("timestep_spacing": "even")"), "timestep_spacing: 'even' is not leading, linspace or trailing"},
    {ddim(R"("beta_schedule": "squaredcos_cap_v2")"),
     "beta_schedule: 'squaredcos_cap_v2' is not linear or scaled_linear"},
    {ddim(R"("beta_end": 1.5)"), "beta_end: 1.5 is not in (0, 1)"},
    {ddim(R"("num_train_timesteps": 1)"), "num_train_timesteps: 1 is not in [2, 1000000]"},
    {ddim(R"("num_train_timesteps": 1e3)"), "num_train_timesteps: 1000.0 is not an integer"},
    {ddim(R"("rescale_betas_zero_snr": true, "timestep_spacing": "trailing")"),
     "prediction_type: epsilon says nothing"},
    {ddim(R"("steps_offset": 1)"), "sampler.steps: 0 is not in [1, 1000]", 0},
    {ddim(R"("steps_offset": 1)"), "sampler.steps: 1001 is not in [1, 1000]", 1001},
    {ddim(R"("steps_offset": 1)"), "sampler.steps: 1000 steps start at timestep 1000 with steps_offset 1", 1000},
    {ddim(R"("num_train_timesteps": 40)"), "sampler.steps: 50 is not in [1, 40]", 50},
    {pndm(R"("prediction_type": "sample")"), "prediction_type: 'sample' is not epsilon or v_prediction"},
    {pndm(R"("rescale_betas_zero_snr": true)"), "rescale_betas_zero_snr: true is not implemented"},
    {pndm(R"("skip_prk_steps": false)"), "sampler.steps: 3 is not at least 4", 3},
    {pndm(R"("skip_prk_steps": true)"), "sampler.eta: 0.5 is for ddim alone; pndm adds no noise", 10, {}, 0.5},
    {ddim(R"("steps_offset": 1)"), "sampler.eta: 1 is for ddim alone; euler adds no noise", 10, "euler", 1},
    {euler(R"("interpolation_type": "cubic")"), "interpolation_type: 'cubic' is not linear or log_linear"},
    {euler(R"("timestep_type": "continuous")"), "timestep_type: \"continuous\" is not implemented"},
    {euler(R"("use_beta_sigmas": true)"), "use_beta_sigmas: true is not implemented"},
    {euler(R"("use_karras_sigmas": true, "use_exponential_sigmas": true)"), "does not go with use_karras_sigmas"},
    {euler(R"("sigma_min": 0.1)"), "sigma_min: 0.1 is not implemented"},
    {euler(R"("final_sigmas_type": "one")"), "final_sigmas_type: 'one' is not zero or sigma_min"},
    {dpm(R"("solver_order": 3)"), "solver_order: 3 is not 1 or 2"},
    {dpm(R"("solver_type": "bh3")"), "solver_type: 'bh3' is not midpoint, heun"},
    {dpm(R"("algorithm_type": "sde-dpmsolver++")"), "algorithm_type: 'sde-dpmsolver++' is not dpmsolver++ or deis"},
    {dpm(R"("timestep_scaling": 10)"), "timestep_scaling: 10 is a setting that this model does not know"},
    {dpm(R"("use_flow_sigmas": true)"), "use_flow_sigmas: true is not implemented"},
    {dpm(R"("variance_type": "learned")"), "variance_type: 'learned' is not implemented"},
    {with("DDPMScheduler", R"("variance_type": "learned_range")"), "variance_type: 'learned_range' is not", 10,
     "dpm++"},
    {dpm(R"("lambda_min_clipped": -5.1)"), "lambda_min_clipped: -5.1 is not implemented"},
    {dpm(R"("timestep_spacing": "leading")"), "sampler.steps: 1000 is not in [1, 999]", 1000},
};

// What one scheduler does over a run whose model always says the same.
at::Tensor end_of(const std::string& config, const char* name) {
  const testing::TemporaryFolder folder;
  write_file(folder / "scheduler_config.json", config);
  const auto scheduler = make_scheduler(folder.path().string(), std::string(name), 0);
  const auto run = scheduler->start(6);
  at::Tensor sample = at::linspace(-1, 1, 5);
  for (size_t i = 0; i < run->timesteps().size(); ++i)
    sample = run->step(static_cast<int64_t>(i), 0.1 * sample + 0.3, sample);
  return sample;
}

TEST(MakeScheduler, KeysOfOtherClassesMeanNothing) {
  const std::string shared =
      R"("beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "v_prediction",)"
      R"("timestep_spacing": "trailing")";
  const std::pair<const char*, std::string> others[] = {
      {"DDPMScheduler", R"("variance_type": "fixed_small", "clip_sample": false, "thresholding": false)"},
      {"DDPMScheduler", R"("variance_type": "fixed_large_log")"},
      {"UniPCMultistepScheduler", R"("solver_type": "bh2", "predict_x0": true, "disable_corrector": [])"},
      {"DEISMultistepScheduler", R"("solver_type": "logrho", "algorithm_type": "deis")"},
      {"LCMScheduler", R"("original_inference_steps": 50, "timestep_scaling": 10.0)"},
      {"DPMSolverSDEScheduler", R"("noise_sampler_seed": 0)"},
      {"KDPM2DiscreteScheduler", R"("unheard_of": {"a": 1})"},
  };
  const at::Tensor wanted = end_of(dpm(shared), "dpm++"), euler_wanted = end_of(euler(shared), "euler");
  ASSERT_GT((wanted - euler_wanted).abs().max().item<double>(), 1e-4);
  for (const auto& [name, keys] : others) {
    EXPECT_TRUE(end_of(with(name, shared + ", " + keys), "dpm++").equal(wanted)) << name << keys;
    EXPECT_TRUE(end_of(with(name, shared + ", " + keys), "euler").equal(euler_wanted)) << name << keys;
  }
}

TEST(MakeScheduler, RefusesInOneLineThatNamesTheKey) {
  for (const Refusal& refusal : kRefusals) {
    const testing::TemporaryFolder folder;
    write_file(folder / "scheduler_config.json", refusal.config);
    try {
      make_scheduler(folder.path().string(), refusal.name, refusal.eta)->start(refusal.steps);
      ADD_FAILURE() << refusal.config << " was accepted";
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find(refusal.message), std::string::npos) << error.what();
    }
  }
  EXPECT_USER_ERROR(make_scheduler("/nowhere"), "/nowhere/scheduler_config.json: scheduler");
}

}  // namespace
}  // namespace freeatm::diffusion
