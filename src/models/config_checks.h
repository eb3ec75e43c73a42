// SPDX-License-Identifier: Apache-2.0
// What the configs of UNet2DConditionModel and AutoencoderKL have in common.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/models/model_config.h"

namespace freeatm::models {

/// The block types under `key`, one for each level and each of them one of `allowed`. Throws UserError.
std::vector<std::string> block_types(ModelConfig& config, const std::string& key,
                                     const std::vector<std::string>& fallback, const std::vector<std::string>& allowed,
                                     size_t levels);

/// Throws UserError unless there is a level, and every level's channels can be normalised in so many groups.
void require_groups(const std::string& path, const std::vector<int64_t>& block_out_channels, int64_t norm_num_groups);

/// Throws UserError unless act_fn is SiLU, which diffusers also calls swish.
void require_silu(ModelConfig& config);

}  // namespace freeatm::models
