// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "freeatm/vision/box.h"
#include "freeatm/vision/rle.h"

namespace freeatm::vision {

/// The binary masks of one picture, all of its size: [count, height, width]. A value, moved together with its picture.
class MaskSet {
 public:
  MaskSet() = default;
  MaskSet(int height, int width) : height_(height), width_(width) {}

  int64_t count() const { return static_cast<int64_t>(masks_.size()); }
  int height() const { return height_; }
  int width() const { return width_; }

  void add(std::vector<uint8_t> mask);  // [height, width], 0 or 1
  void add(const Rle& rle);
  const uint8_t* operator[](int64_t i) const { return masks_[i].data(); }
  Rle rle(int64_t i) const { return Rle::encode(masks_[i].data(), height_, width_); }

  int64_t area(int64_t i) const;
  /// How many of mask i's pixels lie inside the box (its edges rounded to pixels).
  int64_t area_inside(int64_t i, const Box& box) const;
  Box box(int64_t i) const;

  MaskSet flipped() const;                                                   // left to right
  MaskSet cropped_and_resized(const Box& box, int height, int width) const;  // nearest

 private:
  int height_ = 0, width_ = 0;
  std::vector<std::vector<uint8_t>> masks_;
};

}  // namespace freeatm::vision
