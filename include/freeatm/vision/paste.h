// SPDX-License-Identifier: Apache-2.0
// A picture's things on another picture's background.
#pragma once
#include <cstdint>
#include <vector>

#include "freeatm/vision/image.h"

namespace freeatm::vision {

/// Gives each pixel of the mask the colour of the nearest pixel outside of it (Euclidean; a mask without an outside
/// leaves the picture as it is).
///   mask: [height, width], 0 or not
void fill_from_nearest(Image& image, const std::vector<uint8_t>& mask);

/// `background`, with the picture's own pixels where the mask is. Pictures and mask have one size.
Image paste(const Image& image, const std::vector<uint8_t>& mask, Image background);

}  // namespace freeatm::vision
