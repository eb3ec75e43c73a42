// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/vision/box.h"

namespace freeatm::vision {

/// A binary mask as COCO's run lengths: column by column, zeros first. Everything here gives pycocotools' runs, byte
/// for byte in `counts()`.
struct Rle {
  int height = 0, width = 0;
  std::vector<uint32_t> runs;

  static Rle encode(const uint8_t* mask, int height, int width);  // [height, width], row by row, 0 or not
  static Rle zeros(int height, int width);

  /// From an annotation file, `name`: COCO's compressed `counts`; its plain run lengths; a polygon x0, y0, x1, y1, ...
  /// Throw UserError(name, "segmentation", ...) where the runs do not fill height x width, or where there are not at
  /// least three points.
  static Rle from_counts(std::string_view counts, int height, int width, const std::string& name);
  static Rle from_runs(const std::vector<int64_t>& runs, int height, int width, const std::string& name);
  static Rle from_polygon(const std::vector<double>& points, int height, int width, const std::string& name);
  static Rle from_box(const Box& box, int height, int width);

  std::string counts() const;
  std::vector<uint8_t> decode() const;  // [height, width], 0 or 1
  int64_t area() const;
  /// How many ones lie inside the box (its edges rounded to pixels).
  int64_t area_inside(const Box& box) const;
  Box box() const;  // the tight box of the ones; empty when there are none

  bool operator==(const Rle&) const = default;
};

/// The union, or the intersection, of at least one mask, all of one size: pycocotools' `merge`.
Rle merge(const std::vector<Rle>& masks, bool intersect = false);

/// Intersection over union; with `crowd` over the detection alone, as COCO counts crowds. 0 where they do not meet.
double iou(const Rle& detection, const Rle& truth, bool crowd = false);

}  // namespace freeatm::vision
