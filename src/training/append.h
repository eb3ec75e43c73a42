// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "freeatm/core/files.h"

namespace freeatm::training {

/// Adds bytes to the end of a file, made where there is none: all of them, or (false; errno says why) none.
bool append_whole(const fs::path& path, std::string_view bytes);

}  // namespace freeatm::training
