// SPDX-License-Identifier: Apache-2.0
// The files beside a vocabulary.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

namespace freeatm::text {

/// The object in an optional file; a missing file is an empty object. Throws UserError.
nlohmann::json read_optional(const fs::path& path);

/// A config's model_max_length, or the fallback where it does not say. What is longer is cut on the right, what is
/// shorter is filled up there: throws UserError for a config with other sides.
int64_t read_max_length(const fs::path& path, const nlohmann::json& config, int64_t fallback);

/// Throws UserError for a key that is not one of these, unless it is null.
void require_known_keys(const fs::path& path, const nlohmann::json& object, const std::string& prefix,
                        const std::vector<std::string>& known);

}  // namespace freeatm::text
