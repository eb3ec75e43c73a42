// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// Batches of pictures of one orientation: wide ones, and those that are not. Which samples a step takes is computed
/// from the seed, the epoch and the step; so is the order in which batches of the two come.
class AspectOrder {
 public:
  ///   batch: samples of a step, of all ranks; drop_last: what fills no batch of its orientation is left out, other
  ///     samples in each epoch; else each orientation's last batch is smaller
  AspectOrder(const Dataset& dataset, int64_t batch, bool shuffle, bool drop_last, uint64_t seed);

  int64_t steps() const { return first_steps_.back(); }
  /// The indices of a step's samples.
  std::vector<int64_t> indices(int64_t epoch, int64_t step) const;
  /// Samples of an orientation of which there is no full batch: no epoch has them where the last batches are dropped.
  int64_t never_seen() const;

 private:
  std::array<std::vector<int64_t>, 2> samples_;  // not wide, wide
  std::array<int64_t, 3> first_steps_{};         // of each in a row of all batches, and where they end
  int64_t batch_;
  bool shuffle_;
  uint64_t seed_;
};

}  // namespace freeatm::data
