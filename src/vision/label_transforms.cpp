// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/label_transforms.h"

#include <algorithm>

namespace freeatm::vision {
namespace {

/// Which of `from` pixels each of `to` is.
std::vector<int> nearest_places(int from, int to) {
  std::vector<int> places(static_cast<size_t>(to));
  const double scale = static_cast<double>(from) / to;
  for (int i = 0; i < to; ++i) places[i] = std::min(from - 1, static_cast<int>((i + 0.5) * scale));
  return places;
}

}  // namespace

LabelMap resized(const LabelMap& map, int height, int width) {
  if (height == map.height && width == map.width) return map;
  LabelMap out(height, width);
  const std::vector<int> rows = nearest_places(map.height, height), columns = nearest_places(map.width, width);
  for (int y = 0; y < height; ++y) {
    const uint8_t* from = map.row(rows[y]);
    uint8_t* to = out.row(y);
    for (int x = 0; x < width; ++x) to[x] = from[columns[x]];
  }
  return out;
}

LabelMap cropped(const LabelMap& map, int top, int left, int height, int width) {
  LabelMap out(height, width);
  const int first = std::max(0, left), last = std::min(map.width, left + width);
  for (int y = std::max(0, -top); y < std::min(height, map.height - top); ++y) {
    if (first < last) std::copy(map.row(top + y) + first, map.row(top + y) + last, out.row(y) + first - left);
  }
  return out;
}

void horizontal_flip(LabelMap& map) {
  for (int y = 0; y < map.height; ++y) std::reverse(map.row(y), map.row(y) + map.width);
}

}  // namespace freeatm::vision
