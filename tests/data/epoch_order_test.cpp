// SPDX-License-Identifier: Apache-2.0
#include "epoch_order.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::data {
namespace {

const std::vector<int64_t> kSizes = {5, 1, 7, 7, 3, 0, 2};
constexpr int64_t kAll = 25;

std::vector<int64_t> order_of(std::optional<int64_t> shards_at_once, int64_t epoch, uint64_t seed = 1) {
  const EpochOrder order(kSizes, shards_at_once, seed, epoch);
  std::vector<int64_t> indices;
  for (int64_t position = 0; position < kAll; ++position) indices.push_back(order[position]);
  return indices;
}

int64_t shard_of(int64_t index) {
  int64_t shard = 0;
  while (index >= kSizes[shard]) index -= kSizes[shard++];
  return shard;
}

TEST(EpochOrder, VisitsEachSampleOnce) {
  std::vector<int64_t> all(kAll);
  std::iota(all.begin(), all.end(), 0);
  for (const std::optional<int64_t> at_once : {std::optional<int64_t>(), {1}, {2}, {3}, {7}, {100}}) {
    for (int64_t epoch = 0; epoch < 20; ++epoch) {
      auto seen = order_of(at_once, epoch);
      std::ranges::sort(seen);
      EXPECT_EQ(seen, all);
    }
  }
}

TEST(EpochOrder, IsAPermutationOfAllSamplesUnlessAskedOtherwise) {
  const Permutation all(kAll, 1, 3);
  const auto order = order_of({}, 3);
  for (int64_t position = 0; position < kAll; ++position) EXPECT_EQ(order[position], all[position]);
  EXPECT_EQ(order, order_of(7, 3)) << "all shards at once";
}

TEST(EpochOrder, HasNoMoreShardsOpenThanItMay) {
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto order = order_of(2, epoch);
    std::map<int64_t, std::pair<int64_t, int64_t>> visits;  // shard -> its first and its last position
    for (int64_t position = 0; position < kAll; ++position)
      visits.try_emplace(shard_of(order[position]), position, position).first->second.second = position;
    for (int64_t position = 0; position < kAll; ++position) {
      const auto open = std::ranges::count_if(
          visits, [&](const auto& visit) { return visit.second.first <= position && position <= visit.second.second; });
      EXPECT_LE(open, 2);
    }
  }
}

TEST(EpochOrder, MixesTheSamplesOfAWindow) {
  // Two shards of seven samples: an order that took one after the other would not change between them but once.
  int64_t changes = 0;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto order = order_of(7, epoch);
    for (int64_t i = 1; i < kAll; ++i) changes += shard_of(order[i]) != shard_of(order[i - 1]);
  }
  EXPECT_GT(changes, 20 * kAll / 2);
}

TEST(EpochOrder, ChangesWithTheEpochAndTheSeed) {
  EXPECT_NE(order_of(2, 0), order_of(2, 1));
  EXPECT_NE(order_of(2, 0), order_of(2, 0, 2));
  EXPECT_EQ(order_of(2, 0), order_of(2, 0));
}

}  // namespace
}  // namespace freeatm::data
