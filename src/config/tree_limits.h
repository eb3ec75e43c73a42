// SPDX-License-Identifier: Apache-2.0
// What keeps hostile input within bounded time and memory.
#pragma once
#include <cstddef>

#include "freeatm/config/node.h"

namespace freeatm::config {

inline constexpr size_t kMaxDepth = 200;           // levels of a file or of a dotted key
inline constexpr size_t kMaxTreeBytes = 64 << 20;  // of a tree whose aliases or interpolations are expanded

/// About how much memory a tree takes.
size_t tree_bytes(const Node& node);

}  // namespace freeatm::config
