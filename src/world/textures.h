// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <opencv2/core.hpp>

#include "freeatm/core/random.h"

#include "vocabulary.h"

namespace freeatm::world {

inline constexpr int kSide = 64;  // of a scene, pixels

/// A place without objects: RGB in [0, 1], [kSide, kSide]; `tint`: the most by which each of its colours is off.
cv::Mat3f draw_texture(Texture texture, double tint, RandomStream& random);

}  // namespace freeatm::world
