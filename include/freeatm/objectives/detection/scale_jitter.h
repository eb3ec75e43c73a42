// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

#include "freeatm/core/random.h"
#include "freeatm/vision/box.h"

namespace freeatm::objectives {

/// A part of a picture, and how large it is seen.
struct JitteredCrop {
  vision::Box crop;             // whole pixels
  std::array<int64_t, 2> seen;  // height, width
};

/// Large-scale jitter (Ghiasi et al. 2021), torchvision's `ScaleJitter` and `FixedSizeCrop`: a picture that fits in
/// side x side pixels is made larger or smaller by a factor drawn from [low, high), and what reaches beyond side x side
/// is cut at a random place. Here the cut comes first, at whole pixels of the picture, so that nothing is resized that
/// nobody sees; the factor along a side is then off by less than a pixel of the picture.
JitteredCrop draw_scale_jitter(int64_t height, int64_t width, int64_t side, double low, double high,
                               RandomStream& random);

}  // namespace freeatm::objectives
