// SPDX-License-Identifier: Apache-2.0
// Pictures as a detector sees them, and its boxes as the pictures have them: torchvision's `GeneralizedRCNNTransform`.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/models/detection/rcnn.h"

namespace freeatm::models {

/// Height and width of a picture whose shorter side becomes `short_side`, unless the longer one would then be above
/// `long_side`: rounded down.
std::array<int64_t, 2> detector_size(int64_t height, int64_t width, int64_t short_side, int64_t long_side);

/// [3, h, w] of any type with a gradient -> [3, height, width], bilinear without antialias; of this size already:
/// itself.
at::Tensor resized_image(const at::Tensor& image, const std::array<int64_t, 2>& size);

/// Targets of a picture of h x w pixels, as they are in its resized one. Masks by their nearest pixels.
DetectionTargets resized_targets(const DetectionTargets& targets, const std::array<int64_t, 2>& from,
                                 const std::array<int64_t, 2>& to);

/// In one tensor, channels last in memory, whose sides are multiples of 32 and not below `least_side`.
///   images: [3, h, w] each, normalised
PaddedImages padded_images(const std::vector<at::Tensor>& images, int64_t least_side = 0);

/// Boxes of a picture, [n, 4], as they are in the same one of another size.
at::Tensor scaled_boxes(const at::Tensor& boxes, const std::array<int64_t, 2>& from, const std::array<int64_t, 2>& to);

}  // namespace freeatm::models
