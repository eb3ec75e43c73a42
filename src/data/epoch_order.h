// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace freeatm::data {

/// The order in which an epoch visits samples, a function of the seed and the epoch. Computed: no list of samples is
/// kept or shuffled.
///
/// With `shards_at_once` shards come in a random order, so many at a time, and the samples of those are mixed: a disk
/// that seeks slowly reads a few files from end to end instead of all of them everywhere.
class EpochOrder {
 public:
  /// shard_sizes: samples of each, in the order of their indices
  EpochOrder(const std::vector<int64_t>& shard_sizes, std::optional<int64_t> shards_at_once, uint64_t seed,
             int64_t epoch);
  /// The index of the sample at a position.
  int64_t operator[](int64_t position) const;

 private:
  struct Part {
    int64_t position, first_index;  // of its first sample: in the epoch where shards lie behind each other, in the set
  };
  std::vector<Part> shards_;      // in the order in which they are visited
  std::vector<int64_t> windows_;  // positions where they begin, and where the last one ends
  uint64_t seed_, epoch_;
};

}  // namespace freeatm::data
