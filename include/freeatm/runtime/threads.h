// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace freeatm::runtime {

/// Threads that this machine runs at once, at least 1.
int64_t cores();

/// LibTorch's operators compute with so many threads from here on: those of the calling thread, and of threads that
/// have not asked for any yet.
void set_threads(int64_t count);

/// From here on the number of LibTorch's threads is the caller's own: `compute_alone` in another thread leaves it.
void keep_threads();

/// LibTorch's operators take no other threads to help the calling one: there are as many of its kind as cores.
void compute_alone();

}  // namespace freeatm::runtime
