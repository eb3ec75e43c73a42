// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, SIGTERM and SIGHUP ask a loop to stop at its next safe point; a second one kills at once.
#pragma once

namespace freeatm {

/// Thrown at a safe point, after what must be kept was saved. main turns it into 128 + signal.
struct Interrupted {
  int signal;
};

void watch_signals();
/// The signal that asks to stop, or 0.
int pending_signal();
/// Throws Interrupted when a signal is pending: for loops that have nothing to save.
void stop_if_signalled();

}  // namespace freeatm
