// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace freeatm::runtime {

/// Which of the processes that train together this one is. One trains alone.
struct Rank {
  int64_t index = 0, world = 1;  // 0 <= index < world
};

}  // namespace freeatm::runtime
