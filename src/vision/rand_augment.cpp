// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/rand_augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "freeatm/vision/transforms.h"

#include "value_table.h"

namespace freeatm::vision {
namespace {

constexpr double kMostLevel = 10, kProbability = 0.5;
constexpr uint8_t kFill[3] = {124, 116, 104};  // ImageNet's mean

std::array<int64_t, 256> histogram(const Image& image, int channel) {
  std::array<int64_t, 256> counts{};
  for (size_t i = static_cast<size_t>(channel); i < image.pixels.size(); i += 3) ++counts[image.pixels[i]];
  return counts;
}

void auto_contrast(Image& image) {
  for (int channel = 0; channel < 3; ++channel) {
    const auto counts = histogram(image, channel);
    const auto is_there = [](int64_t count) { return count > 0; };
    const auto low = std::ranges::find_if(counts, is_there) - counts.begin();
    const auto high = 255 - (std::find_if(counts.rbegin(), counts.rend(), is_there) - counts.rbegin());
    if (high <= low) continue;
    const double scale = 255.0 / static_cast<double>(high - low), offset = -static_cast<double>(low) * scale;
    map_channel(image, channel,
                [&](int value) { return std::clamp(static_cast<int>(value * scale + offset), 0, 255); });
  }
}

void equalize(Image& image) {
  for (int channel = 0; channel < 3; ++channel) {
    const auto counts = histogram(image, channel);
    const auto pixels = static_cast<int64_t>(image.pixels.size()) / 3;
    const auto last = std::find_if(counts.rbegin(), counts.rend(), [](int64_t count) { return count > 0; });
    const int64_t step = (pixels - *last) / 255;  // pixels of a value, were they even
    if (step == 0) continue;
    int64_t before = step / 2;
    map_channel(image, channel, [&](int value) {
      const int64_t out = std::min<int64_t>(before / step, 255);
      before += counts[static_cast<size_t>(value)];
      return out;
    });
  }
}

// PIL's L, [height * width]
std::vector<uint8_t> luma_of(const Image& image) {
  std::vector<uint8_t> luma(image.pixels.size() / 3);
  for (size_t i = 0; i < luma.size(); ++i) {
    const uint8_t* pixel = image.pixels.data() + 3 * i;
    luma[i] = static_cast<uint8_t>((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16);
  }
  return luma;
}

// PIL's `blend`: from what has nothing of a quality (0) over the picture (1) to more of it.
uint8_t blended(int without, int with, float factor) {
  const float value = static_cast<float>(without) + factor * static_cast<float>(with - without);
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

void enhance_color(Image& image, float factor) {
  const auto luma = luma_of(image);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = blended(luma[i / 3], image.pixels[i], factor);
}

void enhance_contrast(Image& image, float factor) {
  int64_t sum = 0;
  const auto luma = luma_of(image);
  for (const uint8_t value : luma) sum += value;
  const auto mean = static_cast<int>(static_cast<double>(sum) / static_cast<double>(luma.size()) + 0.5);
  map_values(image, [&](int value) { return blended(mean, value, factor); });
}

void enhance_brightness(Image& image, float factor) {
  map_values(image, [&](int value) { return blended(0, value, factor); });
}

// Without sharpness: every pixel but the frame's is a weighted mean of its neighbours, 5 for itself, 1 for the others.
void enhance_sharpness(Image& image, float factor) {
  const Image from = image;
  for (int y = 0; y < image.height; ++y) {
    for (int i = 0; i < 3 * image.width; ++i) {
      uint8_t& value = image.row(y)[i];
      int smooth = value;
      if (y > 0 && y < image.height - 1 && i >= 3 && i < 3 * image.width - 3) {
        float sum = 0.5f;  // rounds
        for (int row = y + 1; row >= y - 1; --row) {
          const uint8_t* at = from.row(row) + i;
          const float middle = row == y ? 5.0f / 13 : 1.0f / 13;
          sum += at[-3] * (1.0f / 13) + at[0] * middle + at[3] * (1.0f / 13);
        }
        smooth = static_cast<int>(std::clamp(sum, 0.0f, 255.0f));
      }
      value = blended(smooth, value, factor);
    }
  }
}

double cubic(double a, double b, double c, double d, double t) {  // at t between b and c
  return b + t * ((c - a) + t * ((2 * (a - b) + c - d) + t * (b - a + d - c)));
}

/// The pixel at (x, y) comes from (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), middles of pixels being at halves:
/// PIL's `transform`, bicubic (Keys 1981, a = -1).
void warp(Image& image, const std::array<double, 6>& m) {
  const Image from = image;
  const int height = image.height, width = image.width;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* out = image.row(y) + 3 * x;
      double at_x = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2], at_y = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
      if (at_x < 0 || at_x >= width || at_y < 0 || at_y >= height) {
        std::copy_n(kFill, 3, out);
        continue;
      }
      at_x -= 0.5, at_y -= 0.5;
      const double left = std::floor(at_x), top = std::floor(at_y);
      for (int c = 0; c < 3; ++c) {
        double lines[4];
        for (int j = 0; j < 4; ++j) {
          const uint8_t* row = from.row(std::clamp(static_cast<int>(top) + j - 1, 0, height - 1)) + c;
          const auto value = [&](int i) {
            return static_cast<double>(row[3 * std::clamp(static_cast<int>(left) + i, 0, width - 1)]);
          };
          lines[j] = cubic(value(-1), value(0), value(1), value(2), at_x - left);
        }
        out[c] =
            static_cast<uint8_t>(std::clamp(cubic(lines[0], lines[1], lines[2], lines[3], at_y - top), 0.0, 255.0));
      }
    }
  }
}

void rotate(Image& image, double degrees) {
  if (degrees == 0) return;
  const double angle = -std::fmod(degrees + 360, 360) * std::numbers::pi / 180;
  const auto rounded = [](double value) { return std::round(value * 1e15) / 1e15; };
  const double cosine = rounded(std::cos(angle)), sine = rounded(std::sin(angle));
  const double x = image.width / 2.0, y = image.height / 2.0;
  warp(image, {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y});
}

}  // namespace

void RandAugmentOptions::fields(config::Fields& f) {
  f("operations", operations, "drawn for each picture, half of them then left out; 0: no RandAugment",
    config::between(0, 15));
  f("magnitude", magnitude, "mean level of an operation", config::between(0, kMostLevel));
  f("deviation", deviation, "of the level", config::between(0, kMostLevel));
}

std::vector<RandStep> draw_rand_augment(const RandAugmentOptions& options, RandomStream& random) {
  std::vector<RandStep> steps;
  for (int64_t i = 0; i < options.operations; ++i) {
    const auto operation = static_cast<RandOperation>(random.integer(kRandOperations));
    const double level = std::clamp(options.magnitude + options.deviation * random.normal(), 0.0, kMostLevel);
    const bool is_negated = random.bernoulli(0.5);
    if (random.bernoulli(kProbability)) steps.push_back({operation, level, is_negated});
  }
  return steps;
}

void apply(const RandStep& step, Image& image) {
  const double share = step.level / kMostLevel, sign = step.is_negated ? -1 : 1;
  const auto factor = static_cast<float>(std::max(0.1, 1 + sign * share * 0.9));
  const int mask = ~((1 << std::min(7, 4 + static_cast<int>(share * 4))) - 1);  // of the bits that are kept: 4 to 1
  const int threshold = 256 - std::min(256, static_cast<int>(share * 256));
  const int added = std::min(128, static_cast<int>(share * 110));
  switch (step.operation) {
    case RandOperation::kAutoContrast:
      return auto_contrast(image);
    case RandOperation::kEqualize:
      return equalize(image);
    case RandOperation::kInvert:
      return solarize(image, 0);
    case RandOperation::kRotate:
      return rotate(image, sign * share * 30);
    case RandOperation::kPosterize:
      return map_values(image, [&](int value) { return value & mask; });
    case RandOperation::kSolarize:
      return solarize(image, threshold);
    case RandOperation::kSolarizeAdd:
      return map_values(image, [&](int value) { return value < 128 ? std::min(255, value + added) : value; });
    case RandOperation::kColor:
      return enhance_color(image, factor);
    case RandOperation::kContrast:
      return enhance_contrast(image, factor);
    case RandOperation::kBrightness:
      return enhance_brightness(image, factor);
    case RandOperation::kSharpness:
      return enhance_sharpness(image, factor);
    case RandOperation::kShearX:
      return warp(image, {1, sign * share * 0.3, 0, 0, 1, 0});
    case RandOperation::kShearY:
      return warp(image, {1, 0, 0, sign * share * 0.3, 1, 0});
    case RandOperation::kTranslateX:
      return warp(image, {1, 0, sign * share * 0.45 * image.width, 0, 1, 0});
    case RandOperation::kTranslateY:
      return warp(image, {1, 0, 0, 0, 1, sign * share * 0.45 * image.height});
  }
}

void rand_augment(Image& image, const RandAugmentOptions& options, RandomStream& random) {
  for (const RandStep& step : draw_rand_augment(options, random)) apply(step, image);
}

}  // namespace freeatm::vision
