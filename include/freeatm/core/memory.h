// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freeatm {

/// Freed memory stays with the program (up to 2 GiB), to be handed out again: every step frees tensors of some
/// megabytes and asks for the like, and glibc would have the kernel take back and clear their pages each time (three
/// quarters of a UNet training step's page faults and of its time in the kernel, 2% to 5% of the step). Elsewhere it
/// does nothing.
void keep_freed_memory();

}  // namespace freeatm
