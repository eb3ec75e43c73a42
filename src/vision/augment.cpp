// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/augment.h"

#include <array>
#include <utility>

namespace freeatm::vision {

void JitterOptions::fields(config::Fields& f) {
  f("brightness", brightness, "factor drawn from 1 -+ this", config::between(0, 1));
  f("contrast", contrast, "factor drawn from 1 -+ this", config::between(0, 1));
  f("saturation", saturation, "factor drawn from 1 -+ this", config::between(0, 1));
  f("hue", hue, "turn drawn from -+ this, of the whole circle", config::between(0, 0.5));
}

void AugmentOptions::fields(config::Fields& f) {
  f("size", size, "side of a view, pixels", config::between(1, 4096));
  f.group("jitter", jitter);
  f("jitter_probability", jitter_probability, "of the colour jitter", config::between(0, 1));
  f("grayscale_probability", grayscale_probability, "of losing all colour", config::between(0, 1));
  f("blur_probability", blur_probability, "of a Gaussian blur", config::between(0, 1));
  f("blur_sigma_low", blur_sigma.low, "least sigma, pixels", config::more_than(0));
  f("blur_sigma_high", blur_sigma.high, "largest sigma, pixels", config::between(0, 100));
  f("solarize_probability", solarize_probability, "of inverting the bright values", config::between(0, 1));
  f("flip_probability", flip_probability, "of mirroring left to right", config::between(0, 1));
  if (f.reading() && blur_sigma.low > blur_sigma.high) f.refuse("blur_sigma_low", "is larger than blur_sigma_high");
}

void jitter(Image& image, const JitterOptions& options, RandomStream& random) {
  std::array<int, 4> order = {0, 1, 2, 3};
  for (int i = 3; i > 0; --i) std::swap(order[i], order[random.integer(i + 1)]);
  const double brightness = random.uniform(1 - options.brightness, 1 + options.brightness);
  const double contrast = random.uniform(1 - options.contrast, 1 + options.contrast);
  const double saturation = random.uniform(1 - options.saturation, 1 + options.saturation);
  const double hue = random.uniform(-options.hue, options.hue);
  for (int operation : order) {
    if (operation == 0) adjust_brightness(image, brightness);
    if (operation == 1) adjust_contrast(image, contrast);
    if (operation == 2) adjust_saturation(image, saturation);
    if (operation == 3) adjust_hue(image, hue);
  }
}

Augmented augment(const Image& image, const Box& crop, const AugmentOptions& options, RandomStream& random) {
  const int side = static_cast<int>(options.size);
  Augmented view{resized_crop(image, crop, side, side)};
  if (random.bernoulli(options.jitter_probability)) jitter(view.image, options.jitter, random);
  if (random.bernoulli(options.grayscale_probability)) grayscale(view.image);
  if (random.bernoulli(options.blur_probability)) {
    gaussian_blur(view.image, random.uniform(options.blur_sigma.low, options.blur_sigma.high));
  }
  if (random.bernoulli(options.solarize_probability)) solarize(view.image);
  view.flipped = random.bernoulli(options.flip_probability);
  if (view.flipped) flip(view.image);
  return view;
}

}  // namespace freeatm::vision
