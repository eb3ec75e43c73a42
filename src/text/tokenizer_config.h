// SPDX-License-Identifier: Apache-2.0
// The files beside a vocabulary.
#pragma once
#include <cstdint>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

namespace freeatm::text {

/// The object in an optional file; a missing file is an empty object. Throws UserError.
nlohmann::json read_optional(const fs::path& path);

/// A config's model_max_length, or the fallback where it does not say. Throws UserError.
int64_t read_max_length(const fs::path& path, const nlohmann::json& config, int64_t fallback);

}  // namespace freeatm::text
