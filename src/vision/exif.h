// SPDX-License-Identifier: Apache-2.0
// How a camera was held: EXIF's orientation.
#pragma once
#include <string_view>

#include "freeatm/vision/image.h"

namespace freeatm::vision {

/// The orientation, 1 to 8, in an EXIF block (a TIFF header and its first folder); 1 where it holds none that is
/// valid. Read by libexif.
int exif_orientation(std::string_view tiff);

/// What a decoder returns: the picture upright, or, where the orientation is asked for, as it is stored.
Image turned(Image image, int orientation, const DecodeOptions& options);

}  // namespace freeatm::vision
