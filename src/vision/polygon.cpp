// SPDX-License-Identifier: Apache-2.0
// Polygons drawn as pycocotools draws them. Its rule: corners are rounded to a grid five times as fine as the pixels,
// edges become lines of that grid, and where a line steps from a pixel column's third fifth to its fourth (the step
// over the column's centre) the mask changes from there down. The steps, in the order of the columns, are the runs.
#include <algorithm>
#include <cmath>
#include <ranges>

#include "freeatm/core/error.h"
#include "freeatm/vision/rle.h"

#include "codecs.h"

namespace freeatm::vision {
namespace {

constexpr int kScale = 5, kCentre = 2;  // fine columns a pixel, and the one whose right edge is the pixel's centre

struct Corner {
  int64_t x, y;  // fine pixels
};

// Towards zero, not down: the rule for all that follows, and what makes negative places differ from floor().
int64_t rounded(double value) { return static_cast<int64_t>(value + 0.5); }

/// Where the mask changes: pixels counted column by column.
class Changes {
 public:
  Changes(int height, int width) : height_(height), width_(width) {}

  void add_edge(Corner from, Corner to) {
    const bool flat = std::abs(to.x - from.x) >= std::abs(to.y - from.y);
    if (flat ? from.x > to.x : from.y > to.y) std::swap(from, to);
    flat ? add_flat(from, to) : add_steep(from, to);
  }

  Rle take() {
    const auto size = static_cast<uint32_t>(int64_t{height_} * width_);
    places_.push_back(size);
    std::sort(places_.begin(), places_.end());
    Rle rle{height_, width_, {places_[0]}};
    for (size_t i = 1; i < places_.size(); ++i) {
      const uint32_t run = places_[i] - places_[i - 1];
      if (run > 0) {
        rle.runs.push_back(run);
      } else if (++i < places_.size()) {  // two changes at one place are none: the run before goes on
        rle.runs.back() += places_[i] - places_[i - 1];
      }
    }
    return rle;
  }

 private:
  // One fine row for each fine column from left to right.
  void add_flat(Corner from, Corner to) {
    const double slope = to.x == from.x ? 0 : static_cast<double>(to.y - from.y) / static_cast<double>(to.x - from.x);
    const auto y = [&](int64_t x) { return rounded(from.y + slope * static_cast<double>(x - from.x)); };
    each_column(from.x, to.x, [&](int64_t column, int64_t left) { add(column, std::min(y(left), y(left + 1))); });
  }

  // One fine column for each fine row from top to bottom: the row where it steps over a centre is searched for.
  void add_steep(Corner from, Corner to) {
    const double slope = static_cast<double>(to.x - from.x) / static_cast<double>(to.y - from.y);
    const auto x = [&](int64_t y) { return rounded(from.x + slope * static_cast<double>(y - from.y)); };
    const auto [least, most] = std::minmax(from.x, to.x);
    each_column(least, most, [&](int64_t column, int64_t left) {
      const auto rows = std::views::iota(from.y, to.y + 1);
      const bool starts_left = from.x <= left;
      const auto step = std::ranges::partition_point(rows, [&](int64_t y) { return (x(y) <= left) == starts_left; });
      add(column, *step - 1);
    });
  }

  // Calls with each pixel column whose centre lies between the fine columns, and the fine column to its left.
  template <class F>
  void each_column(int64_t from, int64_t to, F call) {
    const int64_t first = std::max<int64_t>((from - kCentre + kScale - 1) / kScale, 0);
    for (int64_t column = first; column < width_; ++column) {
      const int64_t left = column * kScale + kCentre;
      if (left + 1 > to) break;
      if (left >= from) call(column, left);
    }
  }

  void add(int64_t column, int64_t fine_y) {
    const double y = (static_cast<double>(fine_y) + 0.5) / kScale - 0.5;
    const auto row = static_cast<int64_t>(std::ceil(std::clamp(y, 0.0, static_cast<double>(height_))));
    places_.push_back(static_cast<uint32_t>(column * height_ + row));
  }

  int height_, width_;
  std::vector<uint32_t> places_;
};

Rle fill(const std::vector<double>& points, int height, int width) {
  std::vector<Corner> corners;
  for (size_t i = 0; i + 1 < points.size(); i += 2)
    corners.push_back({rounded(kScale * points[i]), rounded(kScale * points[i + 1])});
  Changes changes(height, width);
  for (size_t i = 0; i < corners.size(); ++i) changes.add_edge(corners[i], corners[(i + 1) % corners.size()]);
  return changes.take();
}

}  // namespace

Rle Rle::from_polygon(const std::vector<double>& points, int height, int width, const std::string& name) {
  check_size(width, height, name);
  if (points.size() < 6 || points.size() % 2 != 0) {
    throw UserError(name, "segmentation", "a polygon of {} numbers; x and y of at least three points are wanted",
                    points.size());
  }
  constexpr double kFarthest = 4e8;  // five times this is the last that pycocotools' integers hold
  for (double value : points) {
    if (!(std::abs(value) <= kFarthest))
      throw UserError(name, "segmentation", "a polygon with a corner at {}: that is no place in a picture", value);
  }
  return fill(points, height, width);
}

Rle Rle::from_box(const Box& box, int height, int width) {
  const double right = box.x + box.width, bottom = box.y + box.height;
  return fill({box.x, box.y, box.x, bottom, right, bottom, right, box.y}, height, width);
}

}  // namespace freeatm::vision
