// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/model_path.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>

#include "freeatm/core/error.h"

namespace freeatm {
namespace {

namespace fs = std::filesystem;

/// "OWNER/NAME", with no folder of the owner's name here.
bool is_hub_name(const fs::path& path) {
  const auto is_name = [](const std::string& part) {
    return !part.empty() && part[0] != '.' && std::ranges::all_of(part, [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    });
  };
  return std::distance(path.begin(), path.end()) == 2 && is_name(path.parent_path().string()) &&
         is_name(path.filename().string()) && !fs::exists(path.parent_path());
}

}  // namespace

void require_model(const fs::path& path, std::string_view key) {
  std::error_code error;
  if (fs::exists(path, error)) return;
  if (!is_hub_name(path)) throw UserError(path.string(), key, "no such file or folder");
  throw UserError(path.string(), key,
                  "no such file or folder; nothing is fetched here: hf download {} --local-dir FOLDER, and give the "
                  "folder",
                  path.string());
}

}  // namespace freeatm
