// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <utility>
#include <vector>

#include <ATen/Functions.h>

#include "freeatm/vision/image.h"

namespace freeatm::data {

/// A picture as bytes [height, width, 3]; the tensor owns them, without a copy where the picture is given away.
inline at::Tensor pixels(vision::Image image) {
  auto* bytes = new std::vector<uint8_t>(std::move(image.pixels));
  return at::from_blob(
      bytes->data(), {image.height, image.width, 3}, [bytes](void*) { delete bytes; }, at::kByte);
}

}  // namespace freeatm::data
