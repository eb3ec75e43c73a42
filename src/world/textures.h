// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <opencv2/core.hpp>

#include "freeatm/core/random.h"

#include "vocabulary.h"

namespace freeatm::world {

/// A place without objects: RGB in [0, 1], [side, side]; `tint`: the most by which each of its colours is off.
cv::Mat3f draw_texture(Texture texture, int side, double tint, RandomStream& random);

}  // namespace freeatm::world
