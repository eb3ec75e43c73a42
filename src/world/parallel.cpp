// SPDX-License-Identifier: Apache-2.0
#include "parallel.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "freeatm/core/signals.h"

namespace freeatm::world {

void for_each_index(int64_t count, int64_t threads, Progress& progress, const std::function<void(int64_t)>& work) {
  std::atomic<int64_t> next = 0, done = 0;
  std::exception_ptr error;
  std::mutex mutex;
  std::condition_variable finished;
  int64_t running = threads;

  const auto run = [&] {
    try {
      for (int64_t i; (i = next++) < count; ++done) work(i);
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    --running;
    finished.notify_one();
  };
  std::vector<std::jthread> pool;
  for (int64_t i = 0; i < threads; ++i) pool.emplace_back(run);

  int64_t shown = 0;
  std::unique_lock lock(mutex);
  while (running > 0) {  // this thread only watches
    finished.wait_for(lock, std::chrono::milliseconds(100));
    if (pending_signal() != 0) next = count;
    const int64_t now = done;
    progress.advance(now - shown);
    shown = now;
  }
  if (error) std::rethrow_exception(error);
  stop_if_signalled();
}

}  // namespace freeatm::world
