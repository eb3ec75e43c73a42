// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/vision/box.h"

namespace freeatm::vision {

struct PixelBox {
  int x, y, width, height;
};

/// The box, which must be one of whole pixels inside height x width (else a bug): what crops of pictures and of masks
/// take, so that both cut at the same places.
PixelBox whole_pixels(const Box& box, int height, int width);

}  // namespace freeatm::vision
