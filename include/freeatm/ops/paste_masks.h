// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::ops {

/// A mask head's output in its picture: resized bilinearly to its box, each side widened by one cell of the mask (which
/// is 0), and true where it exceeds the threshold. Equals torchvision's paste_masks_in_image(padding=1) > threshold;
/// only the box's part of the picture is computed. A box that is not finite gives zeros.
///   mask: [M, M] probabilities; box: x1, y1, x2, y2 in the picture's pixels
/// Returns [height, width] bytes, 0 or 1, on the CPU.
at::Tensor paste_mask(const at::Tensor& mask, const std::array<double, 4>& box, int64_t height, int64_t width,
                      double threshold);

}  // namespace freeatm::ops
