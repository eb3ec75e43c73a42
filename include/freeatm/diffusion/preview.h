// SPDX-License-Identifier: Apache-2.0
// Pictures for the eye while a model is trained.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/diffusion/pipeline.h"

namespace freeatm::diffusion {

/// Draws prompts, the i-th with seed i. Returns bytes [prompts, side, side, 3].
at::Tensor draw_prompts(const Pipeline& pipeline, const std::vector<std::string>& prompts, int64_t steps,
                        double guidance_scale);

}  // namespace freeatm::diffusion
