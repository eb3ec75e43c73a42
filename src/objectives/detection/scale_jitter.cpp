// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/detection/scale_jitter.h"

#include <algorithm>
#include <cmath>

namespace freeatm::objectives {
namespace {

/// Along one side of a picture.
struct JitteredSpan {
  int64_t first, count, seen;
};

JitteredSpan draw_span(int64_t pixels, double factor, int64_t side, RandomStream& random) {
  const int64_t resized = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(pixels) * factor));
  if (resized <= side) return {0, pixels, resized};
  const int64_t count = std::clamp<int64_t>(std::llround(static_cast<double>(side) / factor), 1, pixels);
  return {random.integer(pixels - count + 1), count, side};
}

}  // namespace

JitteredCrop draw_scale_jitter(int64_t height, int64_t width, int64_t side, double low, double high,
                               RandomStream& random) {
  const double fitting = static_cast<double>(side) / static_cast<double>(std::max(height, width));
  const double factor = random.uniform(low, high) * fitting;
  const JitteredSpan rows = draw_span(height, factor, side, random), columns = draw_span(width, factor, side, random);
  return {{static_cast<double>(columns.first), static_cast<double>(rows.first), static_cast<double>(columns.count),
           static_cast<double>(rows.count)},
          {rows.seen, columns.seen}};
}

}  // namespace freeatm::objectives
