// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace freeatm {

/// XXH3 (Collet 2019) of all bytes of the files, in this order: of pieces, which all cores read beside each other, and
/// then of their hashes. It finds damage and tells models apart; it proves nothing against someone who forges.
/// Throws UserError(path, "", ...) where a file cannot be read.
uint64_t file_digest(const std::vector<std::string>& paths);

}  // namespace freeatm
