// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "freeatm/vision/label_map.h"

namespace freeatm::vision {

/// How well two masks' outlines agree, in [0, 1]: DAVIS's boundary F-measure (Perazzi et al. 2016) as its evaluation
/// code has it. Outlines match within tolerance * the picture's diagonal, rounded up to pixels.
///   mask, reference: [height, width], 0 or 1
double boundary_f_measure(const uint8_t* mask, const uint8_t* reference, int height, int width,
                          double tolerance = 0.008);

/// How far a class's boundary reaches into it, pixels: a fiftieth of the diagonal, rounded (halves to the even side, as
/// NumPy does), at least 1.
int boundary_distance(int height, int width);

/// What is left of each class's mask when its erosion by a 3x3 square, `distance` times over, is taken away; outside of
/// the picture is no class (Cheng et al. 2021, boundary IoU). The other pixels have none (LabelMap::kIgnored).
LabelMap class_boundaries(const LabelMap& map, int distance);

}  // namespace freeatm::vision
