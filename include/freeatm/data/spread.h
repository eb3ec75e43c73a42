// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// Some of a dataset's samples, in its order. The dataset must outlive it.
class Chosen : public Dataset {
 public:
  int64_t size() const override { return count_; }
  Sample get(int64_t index, RandomStream& random) const override { return whole_.get(place(index), random); }
  std::string key(int64_t index) const override { return whole_.key(place(index)); }
  std::vector<std::string> class_names() const override { return whole_.class_names(); }
  std::vector<int64_t> class_ids() const override { return whole_.class_ids(); }
  bool is_multi_label() const override { return whole_.is_multi_label(); }
  bool has_caption(int64_t index) const override { return whole_.has_caption(place(index)); }
  std::optional<PictureSize> picture_size(int64_t index) const override { return whole_.picture_size(place(index)); }

 protected:
  Chosen(const Dataset& whole, int64_t count) : whole_(whole), count_(count) {}
  /// Which of the whole's samples that is.
  virtual int64_t place(int64_t index) const = 0;

  const Dataset& whole_;
  const int64_t count_;
};

/// So many samples, spread evenly over the dataset; all where it has no more, or no number is given.
class Spread final : public Chosen {
 public:
  Spread(const Dataset& whole, std::optional<int64_t> count)
      : Chosen(whole, std::min(count.value_or(whole.size()), whole.size())) {}

 private:
  int64_t place(int64_t index) const override { return index * whole_.size() / count_; }
};

/// Samples begin to end - 1.
class Part final : public Chosen {
 public:
  Part(const Dataset& whole, int64_t begin, int64_t end) : Chosen(whole, end - begin), begin_(begin) {}
  int64_t begin() const { return begin_; }

 private:
  int64_t place(int64_t index) const override { return begin_ + index; }

  int64_t begin_;
};

/// The samples at these places, which rise.
class Listed : public Chosen {
 public:
  Listed(const Dataset& whole, std::vector<int64_t> places)
      : Chosen(whole, std::ssize(places)), places_(std::move(places)) {}

 protected:
  int64_t place(int64_t index) const override { return places_[index]; }

  const std::vector<int64_t> places_;
};

}  // namespace freeatm::data
