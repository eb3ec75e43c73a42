// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/diffusion/ddim.h"

namespace freeatm::diffusion {

/// The noise that a new model is trained for.
struct NoiseOptions {
  std::string prediction_type = "v_prediction", beta_schedule = "scaled_linear";
  double beta_start = 0.00085, beta_end = 0.012;
  int64_t num_train_timesteps = 1000;
  void fields(config::Fields& f);
  DdimOptions scheduler() const;
};

}  // namespace freeatm::diffusion
