// SPDX-License-Identifier: Apache-2.0
// scheduler_config.json, read as diffusers reads it.
#pragma once
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "freeatm/models/model_config.h"

namespace freeatm::diffusion {

/// JSON as Python writes it: diffusers saves `"lambda_min_clipped": -Infinity`. What is not finite becomes null, which
/// is a key's default. Throws UserError.
nlohmann::json read_scheduler_config(const std::string& path);

/// The key's text, one of `names`. Throws UserError.
std::string choice(models::ModelConfig& config, const std::string& key, const std::string& fallback,
                   const std::vector<std::string>& names);

/// Refuses what no scheduler knows, where the file is of the class as which it is read; of another class's file what is
/// not asked for means nothing, as in diffusers. The keys of diffusers' other schedulers are passed over, as diffusers
/// does: folders keep what they were saved with before (Stable Diffusion 1.5's PNDM has clip_sample, 2.1's DDIM
/// skip_prk_steps).
///   class_name: diffusers' name of who reads
void finish(models::ModelConfig& config, const std::string& class_name);

}  // namespace freeatm::diffusion
