// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace freeatm {

/// Freed memory stays with the program (up to 2 GiB), to be handed out again: every step frees tensors of some
/// megabytes and asks for the like, and glibc would have the kernel take back and clear their pages each time (three
/// quarters of a UNet training step's page faults and of its time in the kernel, 2% to 5% of the step). Elsewhere it
/// does nothing.
void keep_freed_memory();

/// Bytes. `peak`: the most that this process has had (not getrusage's: a child takes over its parent's); `available`:
/// what it could have, all that it has included. 0 where the system does not say (Linux does).
struct ProcessMemory {
  int64_t peak = 0, available = 0;
};
ProcessMemory process_memory();

/// "1.5 GiB"
std::string bytes_text(double bytes);

}  // namespace freeatm
