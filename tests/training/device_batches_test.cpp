// SPDX-License-Identifier: Apache-2.0
#include "squares.h"

namespace freeatm::training {
namespace {

TEST(DeviceBatches, AreTheLoaders) {
  const std::vector<int64_t> sums = sums_on(at::kCPU);
  EXPECT_NE(sums[0], sums[1]);
  EXPECT_EQ(sums, sums_on(at::kCPU));
}

}  // namespace
}  // namespace freeatm::training
