// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/noise_options.h"

namespace freeatm::diffusion {

void NoiseOptions::fields(config::Fields& f) {
  f("prediction_type", prediction_type, "what the UNet predicts",
    config::any_of({"epsilon", "v_prediction", "sample"}));
  f("beta_schedule", beta_schedule, "", config::any_of({"linear", "scaled_linear"}));
  f("beta_start", beta_start, "", config::between(1e-6, 0.999));
  f("beta_end", beta_end, "", config::between(1e-6, 0.999));
  f("num_train_timesteps", num_train_timesteps, "", config::between(10, 100000));
}

// Lin et al. 2023: trailing steps begin where training ended.
DdimOptions NoiseOptions::scheduler() const {
  DdimOptions o;
  o.noise = {.num_train_timesteps = num_train_timesteps,
             .beta_start = beta_start,
             .beta_end = beta_end,
             .beta_schedule = beta_schedule,
             .prediction = prediction_from_name(prediction_type, "")};
  o.timestep_spacing = "trailing";
  o.steps_offset = 1;
  o.set_alpha_to_one = false;
  o.clip_sample = false;
  return o;
}

}  // namespace freeatm::diffusion
