// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/boundary.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace freeatm::vision {
namespace {

// 1 where a pixel differs from its right, lower or lower right neighbour.
cv::Mat outline(const uint8_t* mask, int height, int width) {
  cv::Mat out(height, width, CV_8U);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int right = std::min(x + 1, width - 1), below = std::min(y + 1, height - 1);
      const uint8_t here = mask[y * width + x];
      out.at<uint8_t>(y, x) =
          here != mask[y * width + right] || here != mask[below * width + x] || here != mask[below * width + right];
    }
  }
  return out;
}

cv::Mat disk(int radius) {
  cv::Mat out(2 * radius + 1, 2 * radius + 1, CV_8U);
  for (int y = -radius; y <= radius; ++y) {
    for (int x = -radius; x <= radius; ++x) out.at<uint8_t>(y + radius, x + radius) = x * x + y * y <= radius * radius;
  }
  return out;
}

/// Each value becomes the and of itself and those `step`, 2 * step, ... behind it, `count` values in all; there is
/// nothing but 0 behind the last.
void and_windows(std::vector<uint8_t>& values, int64_t step, int count) {
  uint8_t* const data = values.data();  // bytes may alias the vector itself: no loop over it is vectorised
  const int64_t size = std::ssize(values);
  const auto and_shifted = [=](int64_t shift) {
    const int64_t kept = std::max<int64_t>(0, size - shift);
#pragma GCC ivdep  // what is read lies behind what is written
    for (int64_t i = 0; i < kept; ++i) data[i] &= data[i + shift];
    std::fill(data + kept, data + size, uint8_t{0});
  };
  int64_t reached = 1;
  for (; 2 * reached <= count; reached *= 2) and_shifted(reached * step);
  if (reached < count) and_shifted((count - reached) * step);
}

/// 1 where a pixel's eight neighbours are of its class.
std::vector<uint8_t> same_as_neighbours(const LabelMap& map) {
  std::vector<uint8_t> same(map.labels.size());
  for (int y = 1; y + 1 < map.height; ++y) {
    const uint8_t *above = map.row(y - 1), *row = map.row(y), *below = map.row(y + 1);
    uint8_t* out = same.data() + size_t(y) * map.width;
    for (int x = 1; x + 1 < map.width; ++x) {
      uint8_t differs = 0;
      for (int dx = -1; dx <= 1; ++dx)
        differs |= (row[x] ^ above[x + dx]) | (row[x] ^ row[x + dx]) | (row[x] ^ below[x + dx]);
      out[x] = differs == 0;
    }
  }
  return same;
}

}  // namespace

int boundary_distance(int height, int width) {
  const double diagonal = std::sqrt(double(height) * height + double(width) * width);
  return std::max(1, static_cast<int>(std::nearbyint(0.02 * diagonal)));
}

// A pixel lies inside of its class where the (2 * distance + 1)^2 pixels around it are of it, which is where the
// (2 * distance - 1)^2 around it are as their neighbours. Windows over a row's end meet the 0 of its last pixel.
LabelMap class_boundaries(const LabelMap& map, int distance) {
  std::vector<uint8_t> inside = same_as_neighbours(map);
  const int side = 2 * distance - 1;
  and_windows(inside, 1, side);
  and_windows(inside, map.width, side);
  LabelMap out = map;
  const int64_t to_middle = int64_t{distance - 1} * (map.width + 1);
  const uint8_t* const is_inside = inside.data();
  uint8_t* const labels = out.labels.data();
  for (int64_t i = to_middle; i < std::ssize(inside); ++i)
    labels[i] = is_inside[i - to_middle] ? LabelMap::kIgnored : labels[i];
  return out;
}

double boundary_f_measure(const uint8_t* mask, const uint8_t* reference, int height, int width, double tolerance) {
  const cv::Mat ours = outline(mask, height, width), theirs = outline(reference, height, width);
  const double our_count = cv::sum(ours)[0], their_count = cv::sum(theirs)[0];
  if (our_count == 0 && their_count == 0) return 1;
  if (our_count == 0 || their_count == 0) return 0;
  const cv::Mat near = disk(static_cast<int>(std::ceil(tolerance * std::hypot(height, width))));
  cv::Mat around_ours, around_theirs;
  cv::dilate(ours, around_ours, near);
  cv::dilate(theirs, around_theirs, near);
  const double precision = cv::sum(ours.mul(around_theirs))[0] / our_count,
               recall = cv::sum(theirs.mul(around_ours))[0] / their_count;
  return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

}  // namespace freeatm::vision
