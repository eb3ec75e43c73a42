// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/parallel.h"

#include <ATen/Parallel.h>

#ifndef _OPENMP
#error at::parallel_for would be a loop in one thread
#endif

namespace freeatm::runtime {

void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)>& work) {
  at::parallel_for(begin, end, grain, work);
}

}  // namespace freeatm::runtime
