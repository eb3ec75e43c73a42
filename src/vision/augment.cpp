// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/augment.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace freeatm::vision {
namespace {

void apply(const Jitter& jitter, Image& image) {
  for (int operation : jitter.order) {
    if (operation == 0 && jitter.brightness != 1) adjust_brightness(image, jitter.brightness);
    if (operation == 1 && jitter.contrast != 1) adjust_contrast(image, jitter.contrast);
    if (operation == 2 && jitter.saturation != 1) adjust_saturation(image, jitter.saturation);
    if (operation == 3 && jitter.hue != 0) adjust_hue(image, jitter.hue);
  }
}

}  // namespace

void JitterOptions::fields(config::Fields& f) {
  f("brightness", brightness, "factor drawn from max(0, 1 - this) to 1 + this", config::between(0, 100));
  f("contrast", contrast, "factor drawn from max(0, 1 - this) to 1 + this", config::between(0, 100));
  f("saturation", saturation, "factor drawn from max(0, 1 - this) to 1 + this", config::between(0, 100));
  f("hue", hue, "turn drawn from -+ this, of the whole circle", config::between(0, 0.5));
}

void AugmentOptions::fields(config::Fields& f) {
  f("size", size, "side of a view, pixels", config::between(1, 4096));
  f("interpolation", interpolation, "how a crop is resized", config::any_of({"bilinear", "bicubic"}));
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

Box random_resized_crop_box(int height, int width, Range scale, Range ratio, RandomStream& random) {
  const double area = static_cast<double>(height) * width;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * random.uniform(scale.low, scale.high);
    const double aspect = std::exp(random.uniform(std::log(ratio.low), std::log(ratio.high)));
    const auto w = static_cast<int>(std::nearbyint(std::sqrt(target * aspect)));
    const auto h = static_cast<int>(std::nearbyint(std::sqrt(target / aspect)));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const auto y = static_cast<double>(random.integer(height - h + 1));
    const auto x = static_cast<double>(random.integer(width - w + 1));
    return {x, y, static_cast<double>(w), static_cast<double>(h)};
  }
  const double own = static_cast<double>(width) / height;
  const int w = own > ratio.high ? std::max(1, static_cast<int>(std::nearbyint(height * ratio.high))) : width;
  const int h = own < ratio.low ? std::max(1, static_cast<int>(std::nearbyint(width / ratio.low))) : height;
  const int x = (width - w) / 2, y = (height - h) / 2;
  return {double(x), double(y), double(w), double(h)};
}

Jitter draw_jitter(const JitterOptions& options, RandomStream& random) {
  const auto factor = [&](double x) { return random.uniform(std::max(0.0, 1 - x), 1 + x); };
  Jitter jitter{{0, 1, 2, 3}, 1, 1, 1, 0};
  for (int i = 3; i > 0; --i) std::swap(jitter.order[i], jitter.order[random.integer(i + 1)]);
  jitter.brightness = factor(options.brightness);
  jitter.contrast = factor(options.contrast);
  jitter.saturation = factor(options.saturation);
  jitter.hue = random.uniform(-options.hue, options.hue);
  return jitter;
}

Augmentation draw_augmentation(const AugmentOptions& options, RandomStream& random) {
  Augmentation drawn;
  if (random.bernoulli(options.jitter_probability)) drawn.jitter = draw_jitter(options.jitter, random);
  drawn.grayscale = random.bernoulli(options.grayscale_probability);
  if (random.bernoulli(options.blur_probability))
    drawn.blur_sigma = random.uniform(options.blur_sigma.low, options.blur_sigma.high);
  drawn.solarize = random.bernoulli(options.solarize_probability);
  drawn.flip = random.bernoulli(options.flip_probability);
  return drawn;
}

Image augment(const Image& image, const DrawnView& view, const AugmentOptions& options) {
  const int side = static_cast<int>(options.size);
  const Augmentation& chain = view.chain;
  Image seen = resized_crop(image, view.crop, side, side, options.filter());
  if (chain.jitter) apply(*chain.jitter, seen);
  if (chain.grayscale) grayscale(seen);
  if (chain.blur_sigma) gaussian_blur(seen, *chain.blur_sigma);
  if (chain.solarize) solarize(seen);
  if (chain.flip) horizontal_flip(seen);
  return seen;
}

MaskSet augment(const MaskSet& masks, const DrawnView& view, const AugmentOptions& options) {
  const int side = static_cast<int>(options.size);
  MaskSet seen = masks.resized_crop(view.crop, side, side);
  if (view.chain.flip) seen.horizontal_flip();
  return seen;
}

}  // namespace freeatm::vision
