// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/json.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

namespace freeatm {

nlohmann::json read_json(const fs::path& path) {
  try {
    return nlohmann::json::parse(read_file(path));
  } catch (const nlohmann::json::exception& error) {
    throw UserError(path.string(), "", "is not JSON: {}", error.what());
  }
}

}  // namespace freeatm
