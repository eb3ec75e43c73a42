// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "freeatm/core/files.h"

namespace freeatm {

/// A file's JSON. Throws UserError(path, "", ...) where the file cannot be read or is not JSON.
nlohmann::json read_json(const fs::path& path);

}  // namespace freeatm
