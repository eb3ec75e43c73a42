// SPDX-License-Identifier: Apache-2.0
#pragma once
namespace freeatm::vision {

/// x, y of the upper left corner, width, height, in pixels (COCO's `bbox`).
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double area() const { return width * height; }
  bool empty() const { return width <= 0 || height <= 0; }
  bool operator==(const Box&) const = default;
};

Box intersection(const Box& a, const Box& b);

/// Intersection over union; with `crowd` over the detection alone, as COCO counts crowds. 0 where they do not meet.
double iou(const Box& detection, const Box& truth, bool crowd = false);

}  // namespace freeatm::vision
