// SPDX-License-Identifier: Apache-2.0
#include "epoch_order.h"

#include <algorithm>

#include "freeatm/core/random.h"

namespace freeatm::data {

EpochOrder::EpochOrder(const std::vector<int64_t>& shard_sizes, std::optional<int64_t> shards_at_once, uint64_t seed,
                       int64_t epoch)
    : windows_{0}, seed_(seed), epoch_(static_cast<uint64_t>(epoch)) {
  std::vector<int64_t> first_index{0};
  for (const int64_t size : shard_sizes) first_index.push_back(first_index.back() + size);
  const int64_t count = std::ssize(shard_sizes), at_once = std::min(shards_at_once.value_or(count), count);
  const Permutation order(count, stable_hash("shards", seed_), epoch_);
  int64_t position = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto shard = static_cast<size_t>(at_once == count ? i : order[i]);
    shards_.push_back({position, first_index[shard]});
    position += shard_sizes[shard];
    if ((i + 1) % at_once == 0 || i + 1 == count) windows_.push_back(position);
  }
}

int64_t EpochOrder::operator[](int64_t position) const {
  const auto end = std::ranges::upper_bound(windows_, position);
  const int64_t begin = *(end - 1);
  // The window's beginning is 0 where there is but one: then it is the permutation of all samples.
  const Permutation mix(*end - begin, seed_ + static_cast<uint64_t>(begin), epoch_);
  const int64_t mixed = begin + mix[position - begin];
  const auto shard = std::ranges::upper_bound(shards_, mixed, {}, &Part::position) - 1;
  return shard->first_index + mixed - shard->position;
}

}  // namespace freeatm::data
