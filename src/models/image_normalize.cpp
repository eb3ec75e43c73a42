// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/image_normalize.h"

#include <ATen/ATen.h>
#include <ATen/OpMathType.h>

#include "freeatm/core/error.h"

namespace freeatm::models {
namespace {

// Of ImageNet, for pixels of 0 to 1.
at::Tensor mean_of_pixels(const at::TensorOptions& options) { return at::tensor({0.485, 0.456, 0.406}, options); }
at::Tensor deviation_of_pixels(const at::TensorOptions& options) { return at::tensor({0.229, 0.224, 0.225}, options); }

}  // namespace

at::Tensor ImageNormalize::operator()(const at::Tensor& pixels, at::ScalarType dtype) {
  FREEATM_CHECK(pixels.dim() == 4 && pixels.size(3) == 3 && pixels.scalar_type() == at::kByte,
                "pixels are {}, want bytes [B, H, W, 3]", pixels.sizes());
  if (!shift_.defined() || shift_.device() != pixels.device() || shift_.scalar_type() != dtype) {
    const auto options = pixels.options().dtype(at::toOpMathType(dtype));
    const at::Tensor mean = mean_of_pixels(options), deviation = deviation_of_pixels(options);
    shift_ = (-mean / deviation).to(dtype);
    scale_ = (1 / (255 * deviation)).to(dtype);
  }
  // (x / 255 - mean) / deviation as one multiplication and one addition
  return at::addcmul(shift_, pixels.to(dtype), scale_).permute({0, 3, 1, 2});
}

at::Tensor image_denormalized(const at::Tensor& values) {
  return values * deviation_of_pixels(values.options()) + mean_of_pixels(values.options());
}

}  // namespace freeatm::models
