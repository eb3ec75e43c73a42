// SPDX-License-Identifier: Apache-2.0
#include "aspect_order.h"

#include <algorithm>

#include "freeatm/core/random.h"

namespace freeatm::data {

AspectOrder::AspectOrder(const Dataset& dataset, int64_t batch, bool shuffle, bool drop_last, uint64_t seed)
    : batch_(batch), shuffle_(shuffle), seed_(seed) {
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const auto size = dataset.picture_size(i);
    samples_[size && size->width > size->height ? 1 : 0].push_back(i);
  }
  for (size_t kind = 0; kind < 2; ++kind) {
    const int64_t count = std::ssize(samples_[kind]);
    first_steps_[kind + 1] = first_steps_[kind] + (drop_last ? count / batch : (count + batch - 1) / batch);
  }
}

std::vector<int64_t> AspectOrder::indices(int64_t epoch, int64_t step) const {
  const auto number = static_cast<uint64_t>(epoch);
  const int64_t place = shuffle_ ? Permutation(steps(), stable_hash("batches", seed_), number)[step] : step;
  const size_t kind = place < first_steps_[1] ? 0 : 1;
  const std::vector<int64_t>& samples = samples_[kind];
  const Permutation order(std::ssize(samples), stable_hash(kind == 0 ? "not wide" : "wide", seed_), number);
  const int64_t begin = (place - first_steps_[kind]) * batch_, end = std::min(begin + batch_, std::ssize(samples));
  std::vector<int64_t> taken;
  for (int64_t i = begin; i < end; ++i) taken.push_back(samples[static_cast<size_t>(shuffle_ ? order[i] : i)]);
  return taken;
}

int64_t AspectOrder::never_seen() const {
  int64_t count = 0;
  for (size_t kind = 0; kind < 2; ++kind) {
    if (first_steps_[kind] == first_steps_[kind + 1]) count += std::ssize(samples_[kind]);
  }
  return count;
}

}  // namespace freeatm::data
