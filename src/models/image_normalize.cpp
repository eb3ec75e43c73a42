// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/image_normalize.h"

#include <ATen/ATen.h>
#include <ATen/OpMathType.h>

#include "freeatm/core/error.h"

namespace freeatm::models {

at::Tensor ImageNormalize::operator()(const at::Tensor& pixels, at::ScalarType dtype) {
  FREEATM_CHECK(pixels.dim() == 4 && pixels.size(3) == 3 && pixels.scalar_type() == at::kByte,
                "pixels are {}, want bytes [B, H, W, 3]", pixels.sizes());
  if (!shift_.defined() || shift_.device() != pixels.device() || shift_.scalar_type() != dtype) {
    const auto options = pixels.options().dtype(at::toOpMathType(dtype));
    const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}, options),
                     deviation = at::tensor({0.229, 0.224, 0.225}, options);
    shift_ = (-mean / deviation).to(dtype);
    scale_ = (1 / (255 * deviation)).to(dtype);
  }
  // (x / 255 - mean) / deviation as one multiplication and one addition
  return at::addcmul(shift_, pixels.to(dtype), scale_).permute({0, 3, 1, 2});
}

}  // namespace freeatm::models
