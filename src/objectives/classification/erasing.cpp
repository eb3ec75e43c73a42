// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/classification/erasing.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace freeatm::objectives {
namespace {

// ImageNet's, of bytes.
constexpr std::array<double, 3> kMean = {255 * 0.485, 255 * 0.456, 255 * 0.406};
constexpr std::array<double, 3> kDeviation = {255 * 0.229, 255 * 0.224, 255 * 0.225};
constexpr double kMinArea = 0.02, kMaxArea = 1.0 / 3, kMinRatio = 0.3;

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

}  // namespace

void EraseOptions::fields(config::Fields& f) {
  f("probability", probability, "that a box of the view is erased", config::between(0, 1));
  f("fill", fill, "pixel: noise around ImageNet's mean colour; mean: that colour", config::any_of({"pixel", "mean"}));
}

vision::Box draw_erased_box(int height, int width, RandomStream& random) {
  const double area = static_cast<double>(height) * width, log_ratio = std::log(kMinRatio);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = random.uniform(kMinArea, kMaxArea) * area;
    const double ratio = std::exp(random.uniform(log_ratio, -log_ratio));
    const int h = static_cast<int>(std::nearbyint(std::sqrt(target * ratio))),
              w = static_cast<int>(std::nearbyint(std::sqrt(target / ratio)));
    if (w >= width || h >= height) continue;
    const auto y = static_cast<double>(random.integer(height - h + 1));
    const auto x = static_cast<double>(random.integer(width - w + 1));
    return {x, y, static_cast<double>(w), static_cast<double>(h)};
  }
  return {};
}

void maybe_erase(vision::Image& image, const EraseOptions& options, RandomStream& random) {
  if (!random.bernoulli(options.probability)) return;
  const vision::Box box = draw_erased_box(image.height, image.width, random);
  const int left = static_cast<int>(box.x), top = static_cast<int>(box.y);
  const bool noise = options.fill == "pixel";
  for (int y = top; y < top + static_cast<int>(box.height); ++y) {
    uint8_t* value = image.row(y) + 3 * left;
    for (int x = 0; x < static_cast<int>(box.width); ++x) {
      for (size_t c = 0; c < 3; ++c) *value++ = to_byte(noise ? random.normal(kMean[c], kDeviation[c]) : kMean[c]);
    }
  }
}

}  // namespace freeatm::objectives
