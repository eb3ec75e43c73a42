// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace freeatm::data {

/// One caption a line, UTF-8; blank lines are left out. Throws UserError(path:line, "captions", ...) for an empty or
/// binary file.
std::vector<std::string> read_captions(const std::string& path);

}  // namespace freeatm::data
