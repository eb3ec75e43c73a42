// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/signals.h"

#include <atomic>
#include <csignal>

namespace freeatm {
namespace {

std::atomic<int> g_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  g_signal.store(signal);
  std::signal(signal, SIG_DFL);  // the next one kills at once
}

}  // namespace

void watch_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  // A terminal that is closed; nohup's child has it ignored, and keeps it so.
  if (std::signal(SIGHUP, on_signal) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond `ulimit -f` is an error of the writing, as a full disk is
}

int pending_signal() { return g_signal.load(std::memory_order_relaxed); }

void stop_if_signalled() {
  if (const int signal = pending_signal()) throw Interrupted{signal};
}

}  // namespace freeatm
