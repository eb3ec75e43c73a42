// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/threads.h"

#include <thread>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace freeatm::runtime
