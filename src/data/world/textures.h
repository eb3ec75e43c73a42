// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <opencv2/core.hpp>

#include "freeatm/core/random.h"

#include "world/vocabulary.h"

namespace freeatm::data::world {

inline constexpr int kSide = 64;  // of a scene, pixels

/// A place without objects: RGB in [0, 1], [kSide, kSide].
cv::Mat3f draw_texture(Texture texture, RandomStream& random);

}  // namespace freeatm::data::world
