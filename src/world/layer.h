// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <opencv2/core.hpp>

#include "scene.h"

namespace freeatm::world {

/// One object as it stands in the scene, without what hides it.
struct Layer {
  cv::Rect area;     // the part of the scene that it may touch
  cv::Mat4f pixels;  // [area]: premultiplied RGBA in [0, 1]

  /// 255 where the object covers more than half of a pixel; [area].
  cv::Mat1b mask() const;
};

Layer place_sprite(const Sprites& sprites, const Placement& object, int scene_side);

}  // namespace freeatm::world
