// SPDX-License-Identifier: Apache-2.0
#include "scheduler_config.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/core/python_json.h"

namespace freeatm::diffusion {
nlohmann::json read_scheduler_config(const std::string& path) {
  try {
    const std::string text = without_infinities(read_file(path, "scheduler"));
    require_shallow_json(text, path);
    nlohmann::json root = nlohmann::json::parse(text);
    if (!root.is_object()) throw UserError(path, "", "is {}, not an object", root.type_name());
    return root;
  } catch (const nlohmann::json::exception& error) {
    throw UserError(path, "", "is not JSON: {}", error.what());
  }
}

std::string choice(models::ModelConfig& config, const std::string& key, const std::string& fallback,
                   const std::vector<std::string>& names) {
  std::string value = config.text(key, fallback);
  if (std::ranges::count(names, value) == 0)
    throw UserError(config.path(), key, "'{}' is not {}", value, one_of(names));
  return value;
}

void finish(models::ModelConfig& config, const std::string& class_name) {
  if (config.text("_class_name", "") != class_name) return;  // another class's file holds other keys
  config.pass_over({"_class_name", "_diffusers_version", "_name_or_path"});
  config.pass_over({"clip_sample", "clip_sample_range", "rescale_betas_zero_snr", "set_alpha_to_one", "steps_offset"});
  config.pass_over({"dynamic_thresholding_ratio", "sample_max_value", "thresholding", "timestep_spacing"});
  config.pass_over({"algorithm_type", "euler_at_final", "lower_order_final", "skip_prk_steps", "solver_order"});
  config.pass_over({"disable_corrector", "predict_x0", "solver_p", "solver_type", "variance_type"});
  config.pass_over({"final_sigmas_type", "interpolation_type", "lambda_min_clipped", "timestep_type"});
  config.pass_over({"rho", "sigma_data", "sigma_max", "sigma_min", "sigma_schedule"});
  config.pass_over({"use_beta_sigmas", "use_exponential_sigmas", "use_karras_sigmas", "use_lu_lambdas"});
  config.pass_over({"flow_shift", "shift_terminal", "time_shift_type", "use_dynamic_shifting", "use_flow_sigmas"});
  config.finish();
}

}  // namespace freeatm::diffusion
