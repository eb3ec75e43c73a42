// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>

#include "freeatm/core/progress.h"

namespace freeatm::world {

/// Calls work(0 .. count - 1) from `threads` threads, in no order. Ends early with the first exception, or with
/// Interrupted.
void for_each_index(int64_t count, int64_t threads, Progress& progress, const std::function<void(int64_t)>& work);

}  // namespace freeatm::world
