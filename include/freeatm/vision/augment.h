// SPDX-License-Identifier: Apache-2.0
// The augmentations of contrastive pretraining (SimCLR, MoCo v3) on small 8-bit pictures: torchvision's operations and
// distributions. Each operation with given parameters equals torchvision's on uint8 tensors within 1/255
// (tests/vision/augment_test.cpp).
#pragma once
#include <cstdint>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"
#include "freeatm/vision/box.h"
#include "freeatm/vision/image.h"

namespace freeatm::vision {

struct Range {
  double low = 0, high = 0;
};

/// A box of whole pixels inside height x width, drawn as torchvision's `RandomResizedCrop.get_params` does.
///   scale: the box's area as a fraction of the picture's; ratio: width / height, drawn uniformly in its logarithm
Box random_resized_crop_box(int height, int width, Range scale, Range ratio, RandomStream& random);

/// The box (whole pixels inside the picture) resized to height x width: bilinear with antialias, as PIL and
/// torchvision.
Image resized_crop(const Image& image, const Box& box, int height, int width);

void flip(Image& image);  // left to right

/// torchvision's `adjust_*`: factor 1 changes nothing; brightness 0 is black, contrast 0 the mean grey, saturation 0
/// grey.
void adjust_brightness(Image& image, double factor);
void adjust_contrast(Image& image, double factor);
void adjust_saturation(Image& image, double factor);
void adjust_hue(Image& image, double shift);  // shift in [-0.5, 0.5] turns of the colour circle
void grayscale(Image& image);

/// A Gaussian of `sigma` pixels, cut off at 3 sigma, the borders reflected.
void gaussian_blur(Image& image, double sigma);
/// Inverts the values of at least `threshold`.
void solarize(Image& image, int threshold = 128);

/// Half-widths of the ranges that the factors are drawn from: brightness, contrast and saturation around 1, hue around
/// 0.
struct JitterOptions {
  double brightness = 0.4, contrast = 0.4, saturation = 0.2, hue = 0.1;  // MoCo v3's
  void fields(config::Fields& f);
};

/// The four adjustments in random order with random factors: torchvision's `ColorJitter`.
void jitter(Image& image, const JitterOptions& options, RandomStream& random);

/// One view's chain: crop -> jitter -> grayscale -> blur -> solarize -> flip, each but the crop with its probability.
struct AugmentOptions {
  int64_t size = 64;  // side of the view, pixels
  JitterOptions jitter;
  double jitter_probability = 0.8;
  double grayscale_probability = 0.2;
  double blur_probability = 0.5;  // MoCo v3: 1 and 0.1 for its two views
  Range blur_sigma = {0.1, 2.0};
  double solarize_probability = 0.0;  // MoCo v3: 0 and 0.2
  double flip_probability = 0.5;
  void fields(config::Fields& f);
};

struct Augmented {
  Image image;           // [size, size]
  bool flipped = false;  // so that masks can follow: masks.cropped_and_resized(crop, size, size), then flipped()
};

Augmented augment(const Image& image, const Box& crop, const AugmentOptions& options, RandomStream& random);

}  // namespace freeatm::vision
