// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace freeatm::vision {

/// How well two masks' outlines agree, in [0, 1]: DAVIS's boundary F-measure (Perazzi et al. 2016) as its evaluation
/// code has it. Outlines match within tolerance * the picture's diagonal, rounded up to pixels.
///   mask, reference: [height, width], 0 or 1
double boundary_f_measure(const uint8_t* mask, const uint8_t* reference, int height, int width,
                          double tolerance = 0.008);

}  // namespace freeatm::vision
