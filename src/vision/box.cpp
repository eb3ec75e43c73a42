// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/box.h"

#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"

#include "pixel_box.h"

namespace freeatm::vision {

Box intersection(const Box& a, const Box& b) {
  const double left = std::max(a.x, b.x), top = std::max(a.y, b.y);
  const double right = std::min(a.x + a.width, b.x + b.width), bottom = std::min(a.y + a.height, b.y + b.height);
  if (right <= left || bottom <= top) return {};
  return {left, top, right - left, bottom - top};
}

double iou(const Box& detection, const Box& truth, bool crowd) {
  const double shared = intersection(detection, truth).area();
  if (shared == 0) return 0;
  return shared / (crowd ? detection.area() : detection.area() + truth.area() - shared);
}

PixelBox whole_pixels(const Box& box, int height, int width) {
  const PixelBox out{static_cast<int>(std::lround(box.x)), static_cast<int>(std::lround(box.y)),
                     static_cast<int>(std::lround(box.width)), static_cast<int>(std::lround(box.height))};
  FREEATM_CHECK(out.x >= 0 && out.y >= 0 && out.width > 0 && out.height > 0 && out.x + out.width <= width &&
                    out.y + out.height <= height,
                "a crop of {}x{} at {}, {} of a picture of {}x{}", box.width, box.height, box.x, box.y, width, height);
  return out;
}

}  // namespace freeatm::vision
