// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/threads.h"

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "freeatm/runtime/parallel.h"

namespace freeatm::runtime {
namespace {

TEST(Threads, ThoseOfOneThreadAreNotThoseOfAnother) {
  EXPECT_GE(cores(), 1);
  std::thread([] {
    set_threads(3);
    keep_threads();
    std::thread([] {
      compute_alone();
      EXPECT_EQ(at::get_num_threads(), 1);
    }).join();
    EXPECT_EQ(at::get_num_threads(), 3);
  }).join();
}

TEST(Threads, ShareALoop) {
  const auto seen_by = [](int64_t threads) {
    std::set<std::thread::id> ids;
    std::vector<int> times(100);
    std::thread([&] {
      set_threads(threads);
      std::mutex mutex;
      parallel_for(0, 100, 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) ++times[static_cast<size_t>(i)];
        const std::lock_guard lock(mutex);
        ids.insert(std::this_thread::get_id());
      });
    }).join();
    EXPECT_EQ(times, std::vector<int>(100, 1));
    return ids.size();
  };
  EXPECT_EQ(seen_by(1), 1u);
  EXPECT_EQ(seen_by(3), 3u);
  EXPECT_THROW(parallel_for(0, 2, 1, [](int64_t, int64_t) { throw std::runtime_error("one of them"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace freeatm::runtime
