// SPDX-License-Identifier: Apache-2.0
// Ranks without processes: a thread each.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include "freeatm/runtime/meeting_place.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::testing {

/// work(ranks) in `count` threads, to each of which runtime::ranks() are the others. The first failure comes out.
inline void as_ranks(int64_t count, const std::function<void(runtime::Ranks&)>& work) {
  ::setenv("TORCH_FR_BUFFER_SIZE", "0", 0);  // c10d's flight recorder is one of a process, and has no lock
  runtime::MeetingPlace place;
  std::vector<std::exception_ptr> errors(static_cast<size_t>(count));
  std::vector<std::thread> threads;
  for (int64_t index = 0; index < count; ++index) {
    threads.emplace_back([&, index] {
      try {
        runtime::Ranks ranks({.rank = {index, count}, .local_rank = index, .port = place.port()}, /*silence=*/60);
        const runtime::RanksScope scope(ranks);
        work(ranks);
        ranks.leave();
      } catch (const std::exception& error) {  // said at once: the others may wait for this one
        std::cerr << "rank " << index << ": " << error.what() << "\n";
        errors[static_cast<size_t>(index)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace freeatm::testing
