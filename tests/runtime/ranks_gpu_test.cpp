// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <c10/core/impl/VirtualGuardImpl.h>

#include "gpu.h"
#include "runtime/rank_operations.h"
#include "runtime/rank_threads.h"

namespace freeatm::runtime {
namespace {

using RanksOnGpus = testing::OnGpu;

TEST_F(RanksOnGpus, SumAndGatherInTheOrderOfTheRanks) {
  const int64_t gpus = c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount();
  if (gpus < 2) GTEST_SKIP() << "one GPU alone; each rank wants its own";
  testing::as_ranks(std::min<int64_t>(gpus, 4), [](Ranks& group) {
    testing::expect_sums_and_gathers(group, {at::kCUDA, static_cast<c10::DeviceIndex>(group.local_rank())});
  });
}

}  // namespace
}  // namespace freeatm::runtime
