// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/threads.h"

#include <algorithm>
#include <thread>

#include <ATen/Parallel.h>

namespace freeatm::runtime {

int64_t cores() { return std::max<int64_t>(1, std::thread::hardware_concurrency()); }

void set_threads(int64_t count) { at::set_num_threads(static_cast<int>(count)); }

// The first question settles it: at::set_num_threads is also the default of threads that have not asked yet.
void keep_threads() { at::get_num_threads(); }

void compute_alone() { at::set_num_threads(1); }

}  // namespace freeatm::runtime
