// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ATen/Functions.h>

#include "freeatm/vision/image.h"

namespace freeatm::data {

/// A picture as bytes [height, width, 3]; the tensor owns them.
inline at::Tensor pixels(const vision::Image& image) {
  return at::from_blob(const_cast<uint8_t*>(image.pixels.data()), {image.height, image.width, 3}, at::kByte).clone();
}

}  // namespace freeatm::data
