// SPDX-License-Identifier: Apache-2.0
// Label maps under what is done to their pictures; no two labels are ever mixed.
#pragma once
#include "freeatm/vision/label_map.h"

namespace freeatm::vision {

/// The label at the middle of what each pixel was: PIL's NEAREST, bit for bit.
LabelMap resized(const LabelMap& map, int height, int width);

/// The pixels from (top, left) on; what lies outside of the map is kIgnored.
LabelMap cropped(const LabelMap& map, int top, int left, int height, int width);

void horizontal_flip(LabelMap& map);

}  // namespace freeatm::vision
