// SPDX-License-Identifier: Apache-2.0
#include "polygon.h"

#include <algorithm>
#include <cmath>

namespace freeatm::data {

void fill_polygon(const std::vector<double>& points, int height, int width, std::vector<uint8_t>& mask) {
  const size_t count = points.size() / 2;
  std::vector<double> crossings;  // of the line through a row's pixel centres, x
  for (int y = 0; y < height; ++y) {
    const double line = y + 0.5;
    crossings.clear();
    for (size_t i = 0; i < count; ++i) {
      const size_t j = (i + 1) % count;
      const double x0 = points[2 * i], y0 = points[2 * i + 1], x1 = points[2 * j], y1 = points[2 * j + 1];
      if ((y0 <= line) != (y1 <= line)) crossings.push_back(x0 + (line - y0) * (x1 - x0) / (y1 - y0));
    }
    std::sort(crossings.begin(), crossings.end());
    const auto column = [&](double x) { return static_cast<int>(std::clamp(std::ceil(x - 0.5), 0.0, double(width))); };
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const auto row = mask.begin() + int64_t{y} * width;
      const int first = column(crossings[i]);
      std::fill(row + first, row + std::max(first, column(crossings[i + 1])), uint8_t{1});
    }
  }
}

}  // namespace freeatm::data
