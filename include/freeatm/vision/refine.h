// SPDX-License-Identifier: Apache-2.0
// Soft masks brought to the edges of their picture.
#pragma once
#include <cstdint>
#include <vector>

#include "freeatm/vision/image.h"

namespace freeatm::vision {

/// He, Sun & Tang 2013, eqs. 19 to 21, with a guide of three colours in [0, 1] and windows that end at the border.
///   map: [height * width] of the guide; radius: pixels; epsilon: variance of colours below which the map is smoothed
std::vector<float> guided_filter(const Image& guide, const std::vector<float>& map, int radius, double epsilon);

/// GrabCut (Rother et al. 2004), started from a mask (0 or 1) and the map in [0, 1] whose `threshold` made it: a pixel
/// of the mask is likely the object's, surely so above (1 + threshold) / 2; any other likely not, and surely not below
/// threshold / 2. Returns [height * width], 0 or 1; the mask itself where it leaves no pixel to one of the sides. The
/// same input gives the same result.
std::vector<uint8_t> grab_cut(const Image& image, const std::vector<float>& map, const std::vector<uint8_t>& mask,
                              double threshold, int iterations);

}  // namespace freeatm::vision
