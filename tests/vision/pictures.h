// SPDX-License-Identifier: Apache-2.0
// What the tests of pictures share.
#pragma once
#include <algorithm>
#include <cstdlib>

#include "freeatm/core/random.h"
#include "freeatm/vision/image.h"

namespace freeatm::vision {

/// The largest difference of two values at one place; 256 where the sizes differ.
inline int worst_difference(const Image& a, const Image& b) {
  if (a.height != b.height || a.width != b.width) return 256;
  int worst = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) worst = std::max(worst, std::abs(a.pixels[i] - b.pixels[i]));
  return worst;
}

inline Image noise(int height, int width) {
  Image image(height, width);
  RandomStream random(1, "noise");
  for (auto& value : image.pixels) value = static_cast<uint8_t>(random.integer(256));
  return image;
}

}  // namespace freeatm::vision
