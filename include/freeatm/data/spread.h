// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// So many of a dataset's samples, spread evenly over it; all where it has no more. The dataset must outlive it.
class Spread final : public Dataset {
 public:
  Spread(const Dataset& whole, int64_t count) : whole_(whole), count_(std::min(count, whole.size())) {}
  int64_t size() const override { return count_; }
  Sample get(int64_t index, RandomStream& random) const override { return whole_.get(place(index), random); }
  std::vector<std::string> class_names() const override { return whole_.class_names(); }
  std::vector<int64_t> class_ids() const override { return whole_.class_ids(); }
  bool is_multi_label() const override { return whole_.is_multi_label(); }
  bool has_caption(int64_t index) const override { return whole_.has_caption(place(index)); }
  std::optional<PictureSize> picture_size(int64_t index) const override { return whole_.picture_size(place(index)); }

 private:
  int64_t place(int64_t index) const { return index * whole_.size() / count_; }

  const Dataset& whole_;
  int64_t count_;
};

}  // namespace freeatm::data
