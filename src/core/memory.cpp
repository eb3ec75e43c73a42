// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/memory.h"

#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace freeatm {

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace freeatm
