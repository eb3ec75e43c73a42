// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::vision {

/// What stands out of a picture, by its colours alone: what a method that needs no model at all would take for things.
/// Each pixel's Mahalanobis distance from the colours of the picture's border (Lab; the border is a tenth of the
/// shorter side), smoothed, is cut at Otsu's threshold; the pieces that cover at least `min_share` of the picture are
/// the masks, largest first, at most `max_count`. The border as background is the prior of Wei et al. 2012.
MaskSet salient_regions(const Image& image, int64_t max_count = 3, double min_share = 0.01);

}  // namespace freeatm::vision
