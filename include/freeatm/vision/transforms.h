// SPDX-License-Identifier: Apache-2.0
// Changes of a picture with given parameters. What each equals and how closely is measured in
// tests/vision/transforms_test.cpp: "PIL" means torchvision's functions on PIL 13's pictures, "v2" torchvision's
// `transforms.v2.functional` on uint8 tensors. Masks follow by the methods of the same names (mask_set.h).
#pragma once
#include <cstdint>

#include "freeatm/vision/box.h"
#include "freeatm/vision/image.h"

namespace freeatm::vision {

/// Both widen as the picture shrinks (antialias). Bicubic: a = -0.5.
enum class Filter { kBilinear, kBicubic };

/// The box's pixels.
///   box: whole pixels inside the picture
Image crop(const Image& image, const Box& box);

/// The box resized to height x width: crop, then resize. Equals PIL bit for bit.
///   box: whole pixels inside the picture
Image resized_crop(const Image& image, const Box& box, int height, int width, Filter filter = Filter::kBilinear);

/// The whole picture. Equals PIL bit for bit.
Image resize(const Image& image, int height, int width, Filter filter = Filter::kBilinear);

/// The shorter side becomes `side`, the longer keeps the ratio, rounded down: torchvision's `Resize(side)`.
Image resize_shorter_side(const Image& image, int side, Filter filter = Filter::kBilinear);

/// The middle side x side pixels, of a picture that has them: torchvision's `CenterCrop(side)`.
Image center_crop(const Image& image, int side);

/// The largest square in the middle, resized to side x side.
Image center_square(const Image& image, int side);

void horizontal_flip(Image& image);
void vertical_flip(Image& image);

/// v2's `adjust_*`: brightness and contrast exactly, saturation and hue within 1/255. Factor 1 changes nothing;
/// brightness 0 is black, contrast 0 the mean grey, saturation 0 grey.
void adjust_brightness(Image& image, double factor);
void adjust_contrast(Image& image, double factor);
void adjust_saturation(Image& image, double factor);
void adjust_hue(Image& image, double shift);  // in [-0.5, 0.5] turns of the colour circle

/// v2's `rgb_to_grayscale(..., 3)`, exactly.
void grayscale(Image& image);

/// v2's `solarize`, exactly: inverts the values of at least `threshold`.
void solarize(Image& image, int threshold = 128);

/// A Gaussian of `sigma` pixels over kernel_size (odd) pixels each way, the borders reflected: v2's `gaussian_blur`
/// within 1/255.
///   kernel_size 0: as far as 3 sigma, which is what PIL's `GaussianBlur(sigma)` (MoCo v3's code) approximates by boxes
void gaussian_blur(Image& image, double sigma, int kernel_size = 0);

}  // namespace freeatm::vision
