// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "freeatm/vision/image.h"

namespace freeatm::data {

/// Pictures for the eye, side by side, each pixel doubled where they are small.
///   pixels: bytes [N, side, side, 3], on the CPU
vision::Image tile(const at::Tensor& pixels, int64_t columns);

/// Up to this side, pictures are shown doubled.
constexpr int64_t kSmallSide = 128;

}  // namespace freeatm::data
