// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/box.h"

#include <algorithm>

namespace freeatm::vision {

Box intersection(const Box& a, const Box& b) {
  const double left = std::max(a.x, b.x), top = std::max(a.y, b.y);
  const double right = std::min(a.x + a.width, b.x + b.width), bottom = std::min(a.y + a.height, b.y + b.height);
  if (right <= left || bottom <= top) return {};
  return {left, top, right - left, bottom - top};
}

}  // namespace freeatm::vision
