// SPDX-License-Identifier: Apache-2.0
// How a camera was held: EXIF's orientation.
#pragma once
#include <string_view>

#include "freeatm/vision/image.h"

namespace freeatm::vision {

/// The orientation, 1 to 8, in an EXIF block (a TIFF header and its first folder); 1 where it holds none that is valid.
int exif_orientation(std::string_view tiff);

/// The picture turned and mirrored so that it is seen upright: PIL's `ImageOps.exif_transpose`.
Image upright(Image image, int orientation);

}  // namespace freeatm::vision
