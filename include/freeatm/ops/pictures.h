// SPDX-License-Identifier: Apache-2.0
// What vision/transforms.h does to one picture, for a batch on its device: every picture with its own parameters, which
// lie on the device too, so that no step waits. Pictures between the steps are planes, [B, 3, H, W], of whole numbers
// from 0 to 255 in fp32. Results are the bytes that vision's functions give, but for `blurred`: within 1/255.
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "freeatm/vision/transforms.h"

namespace freeatm::ops {

/// Of each picture its box, resized to [size, size]: PIL's fixed-point weights as two products of matrices whose
/// numbers are so short that fp32 and TF32 hold them, and their sums, exactly (up to 15 times smaller, bicubic 7).
///   pictures: bytes [B, H, W, 3]
///   boxes: [B, 4] fp64, x, y, width, height, whole pixels inside the picture
at::Tensor resized_crops(const at::Tensor& pictures, const at::Tensor& boxes, int64_t size, vision::Filter filter);

/// Brightness, contrast, saturation and hue, in each picture's own order.
///   operations: [B, 4] fp64, the four of them: 0 brightness, 1 contrast, 2 saturation, 3 hue
///   values: [B, 4] fp64, the operation's factor, or the hue's turn; 1 and 0 change nothing
at::Tensor jittered(const at::Tensor& planes, const at::Tensor& operations, const at::Tensor& values);

/// Luma in all three channels.
at::Tensor grayscale(const at::Tensor& planes);

/// A Gaussian as far as 3 sigma, borders reflected.
///   sigmas: [B] fp64, pixels; 0: left as it is
///   most: no sigma is larger
at::Tensor blurred(const at::Tensor& planes, const at::Tensor& sigmas, double most);

/// The values of at least 128 inverted.
at::Tensor solarized(const at::Tensor& planes);

}  // namespace freeatm::ops
