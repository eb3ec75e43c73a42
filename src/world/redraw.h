// SPDX-License-Identifier: Apache-2.0
// Other drawings of a sprite, made from its own.
#pragma once
#include <opencv2/core.hpp>

namespace freeatm::world {

/// How an object is drawn: as the font has it, with dark lines on paler colours, or with its colours nearer to one.
enum class Style { kOwn, kOutline, kFlat };

///   sprite: premultiplied RGBA in [0, 1]; what covers the ground stays as it is
cv::Mat4f redraw(const cv::Mat4f& sprite, Style style);

}  // namespace freeatm::world
