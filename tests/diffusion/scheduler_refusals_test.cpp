// SPDX-License-Identifier: Apache-2.0
// What a scheduler_config.json or the sampler's options may not ask for: one line each, which names the key.
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
    {dpm(R"("solver_type": "bh1")"), "solver_type: 'bh1' is not midpoint or heun"},
    {dpm(R"("algorithm_type": "sde-dpmsolver++")"), "algorithm_type: \"sde-dpmsolver++\" is not implemented"},
    {dpm(R"("use_flow_sigmas": true)"), "use_flow_sigmas: true is not implemented"},
    {dpm(R"("variance_type": "learned")"), "variance_type: \"learned\" is not implemented"},
    {dpm(R"("lambda_min_clipped": -5.1)"), "lambda_min_clipped: -5.1 is not implemented"},
    {dpm(R"("timestep_spacing": "leading")"), "sampler.steps: 1000 is not in [1, 999]", 1000},
};

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
