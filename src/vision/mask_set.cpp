// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/mask_set.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "freeatm/core/error.h"

#include "pixel_box.h"

namespace freeatm::vision {
namespace {

// Which input pixel each of `size` output pixels shows; in floats, because torch computes it so and rounds with it.
std::vector<int> nearest_sources(int begin, int extent, int size) {
  const float scale = static_cast<float>(extent) / static_cast<float>(size);
  std::vector<int> sources(size);
  for (int i = 0; i < size; ++i)
    sources[i] = begin + std::min(static_cast<int>(static_cast<float>(i) * scale), extent - 1);
  return sources;
}

}  // namespace

void MaskSet::add(const std::vector<uint8_t>& mask) {
  FREEATM_CHECK(static_cast<int64_t>(mask.size()) == mask_size(), "a mask of {} pixels in a set of {}x{}", mask.size(),
                height_, width_);
  pixels_.insert(pixels_.end(), mask.begin(), mask.end());
  ++count_;
}

void MaskSet::add(const Rle& rle) {
  FREEATM_CHECK(rle.height == height_ && rle.width == width_, "a mask of {}x{} in a set of {}x{}", rle.height,
                rle.width, height_, width_);
  add(rle.decode());
}

int64_t MaskSet::area(int64_t i) const {
  const uint8_t* mask = (*this)[i];
  return std::accumulate(mask, mask + mask_size(), int64_t{0});
}

Box MaskSet::box(int64_t i) const {
  int left = width_, right = -1, top = height_, bottom = -1;
  for (int y = 0; y < height_; ++y) {
    const uint8_t *row = (*this)[i] + int64_t{y} * width_, *end = row + width_;
    const uint8_t* first = std::find(row, end, uint8_t{1});
    if (first == end) continue;
    const uint8_t* last = end - 1;
    while (*last == 0) --last;
    left = std::min(left, static_cast<int>(first - row));
    right = std::max(right, static_cast<int>(last - row));
    top = std::min(top, y);
    bottom = y;
  }
  if (right < 0) return {};
  return {double(left), double(top), double(right - left + 1), double(bottom - top + 1)};
}

MaskSet MaskSet::resized_crop(const Box& box, int height, int width) const {
  MaskSet out(height, width);
  if (count_ == 0) return out;
  const PixelBox crop = whole_pixels(box, height_, width_);
  const auto columns = nearest_sources(crop.x, crop.width, width), rows = nearest_sources(crop.y, crop.height, height);
  out.count_ = count_;
  out.pixels_.resize(count_ * out.mask_size());
  uint8_t* pixel = out.pixels_.data();
  for (int64_t i = 0; i < count_; ++i) {
    for (int y : rows) {
      const uint8_t* row = (*this)[i] + int64_t{y} * width_;
      for (int x : columns) *pixel++ = row[x];
    }
  }
  return out;
}

Rle resized_crop(const Rle& mask, const Box& box, int height, int width) {
  MaskSet one(mask.height, mask.width);
  one.add(mask);
  return one.resized_crop(box, height, width).rle(0);
}

void MaskSet::horizontal_flip() {
  for (auto row = pixels_.begin(); row != pixels_.end(); row += width_) std::reverse(row, row + width_);
}

void MaskSet::vertical_flip() {
  for (auto mask = pixels_.begin(); mask != pixels_.end(); mask += mask_size()) {
    for (int top = 0, bottom = height_ - 1; top < bottom; ++top, --bottom)
      std::swap_ranges(mask + top * width_, mask + (top + 1) * width_, mask + bottom * width_);
  }
}

}  // namespace freeatm::vision
