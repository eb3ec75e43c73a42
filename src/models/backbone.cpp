// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/backbone.h"

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::models {

at::Tensor normalized(const at::Tensor& pixels, at::ScalarType dtype) {
  FREEATM_CHECK(pixels.dim() == 4 && pixels.size(3) == 3 && pixels.scalar_type() == at::kByte,
                "pixels are {}, want bytes [B, H, W, 3]", pixels.sizes());
  const auto options = pixels.options().dtype(dtype);
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}, options),
                   deviation = at::tensor({0.229, 0.224, 0.225}, options);
  // (x / 255 - mean) / deviation as one multiplication and one addition
  return at::addcmul(-mean / deviation, pixels.to(dtype), 1 / (255 * deviation)).permute({0, 3, 1, 2});
}

}  // namespace freeatm::models
