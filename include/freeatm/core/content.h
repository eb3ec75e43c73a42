// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "freeatm/core/files.h"

namespace freeatm {

/// Throws UserError(path, key, ...) where a file that begins with these bytes only stands for another one: a pointer of
/// git-lfs, as clones without it have them.
void require_content(std::string_view head, const fs::path& path, std::string_view key);

}  // namespace freeatm
