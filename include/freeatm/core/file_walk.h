// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm {

struct FoundFiles {
  std::vector<fs::path> files;   // regular ones, below the folder's own path
  std::vector<fs::path> others;  // links to nothing or back to a folder that they lie in, closed folders, devices
};

/// What lies below a folder at any depth, in byte order of the paths. Links to folders are followed. What is hidden
/// (".DS_Store", "._picture.png", ".git/") or a Mac's archive added ("__MACOSX/") is nobody's file. Throws
/// UserError(path, key, ...) where the folder itself cannot be read.
FoundFiles files_below(const fs::path& folder, std::string_view key);

}  // namespace freeatm
