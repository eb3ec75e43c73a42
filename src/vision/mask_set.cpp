// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/mask_set.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "freeatm/core/error.h"

namespace freeatm::vision {
namespace {

// Where each of `size` output pixels looks in a line of `limit` pixels: the input pixel under its centre.
std::vector<int> nearest_sources(double begin, double extent, int size, int limit) {
  std::vector<int> sources(size);
  for (int i = 0; i < size; ++i) {
    sources[i] = std::clamp(static_cast<int>(std::floor(begin + (i + 0.5) * extent / size)), 0, limit - 1);
  }
  return sources;
}

}  // namespace

void MaskSet::add(std::vector<uint8_t> mask) {
  FREEATM_CHECK(mask.size() == size_t(height_) * width_, "a mask of {} pixels in a set of {}x{}", mask.size(), height_,
                width_);
  masks_.push_back(std::move(mask));
}

void MaskSet::add(const Rle& rle) {
  FREEATM_CHECK(rle.height == height_ && rle.width == width_, "a mask of {}x{} in a set of {}x{}", rle.height,
                rle.width, height_, width_);
  masks_.push_back(rle.decode());
}

int64_t MaskSet::area(int64_t i) const { return std::accumulate(masks_[i].begin(), masks_[i].end(), int64_t{0}); }

int64_t MaskSet::area_inside(int64_t i, const Box& box) const {
  const int left = std::clamp(static_cast<int>(std::lround(box.x)), 0, width_);
  const int right = std::clamp(static_cast<int>(std::lround(box.x + box.width)), left, width_);
  const int top = std::clamp(static_cast<int>(std::lround(box.y)), 0, height_);
  const int bottom = std::clamp(static_cast<int>(std::lround(box.y + box.height)), top, height_);
  int64_t sum = 0;
  for (int y = top; y < bottom; ++y) {
    const uint8_t* row = masks_[i].data() + size_t(y) * width_;
    sum += std::accumulate(row + left, row + right, int64_t{0});
  }
  return sum;
}

Box MaskSet::box(int64_t i) const {
  int left = width_, right = -1, top = height_, bottom = -1;
  for (int y = 0; y < height_; ++y) {
    const uint8_t* row = masks_[i].data() + size_t(y) * width_;
    for (int x = 0; x < width_; ++x) {
      if (row[x] == 0) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return {};
  return {double(left), double(top), double(right - left + 1), double(bottom - top + 1)};
}

MaskSet MaskSet::flipped() const {
  MaskSet out = *this;
  for (auto& mask : out.masks_) {
    for (auto row = mask.begin(); row != mask.end(); row += width_) std::reverse(row, row + width_);
  }
  return out;
}

MaskSet MaskSet::cropped_and_resized(const Box& box, int height, int width) const {
  const auto columns = nearest_sources(box.x, box.width, width, width_);
  const auto rows = nearest_sources(box.y, box.height, height, height_);
  MaskSet out(height, width);
  for (const auto& mask : masks_) {
    auto& resized = out.masks_.emplace_back();
    resized.reserve(size_t(height) * width);
    for (int y : rows) {
      const uint8_t* row = mask.data() + size_t(y) * width_;
      for (int x : columns) resized.push_back(row[x]);
    }
  }
  return out;
}

}  // namespace freeatm::vision
