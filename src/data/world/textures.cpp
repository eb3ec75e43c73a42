// SPDX-License-Identifier: Apache-2.0
#include "world/textures.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

namespace freeatm::data::world {
namespace {

using Color = cv::Vec3f;

/// Smooth noise: normal values on cells x cells points, cubic between them.
cv::Mat1f noise(RandomStream& random, int cells, double deviation) {
  cv::Mat1f coarse(cells, cells), fine;
  for (float& value : coarse) value = static_cast<float>(random.normal(0, deviation));
  cv::resize(coarse, fine, {kSide, kSide}, 0, 0, cv::INTER_CUBIC);
  return fine;
}

Color grey(float value) { return {value, value, value}; }
float wave(float turns) { return std::sin(2 * std::numbers::pi_v<float> * turns); }

template <class ColorAt>
cv::Mat3f paint(ColorAt color_at) {
  cv::Mat3f picture(kSide, kSide);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) picture(y, x) = color_at(y, x);
  }
  return picture;
}

cv::Mat3f grass(RandomStream& random, const cv::Mat1f& rough) {
  const cv::Mat1f blades = noise(random, 32, 0.04);
  return paint([&](int y, int x) {
    return Color(0.30f, 0.58f, 0.22f) + rough(y, x) * Color(1, 1.6f, 0.7f) + grey(blades(y, x));
  });
}

cv::Mat3f sand(const cv::Mat1f& rough) {
  return paint([&](int y, int x) { return Color(0.86f, 0.76f, 0.53f) + grey(0.8f * rough(y, x)); });
}

cv::Mat3f water(RandomStream& random, const cv::Mat1f& rough) {
  const auto waves = static_cast<float>(random.uniform(5, 9)) / kSide;
  const cv::Mat1f bend = noise(random, 5, 0.35);
  return paint([&](int y, int x) {
    return Color(0.15f, 0.45f, 0.72f) + grey(0.07f * wave(y * waves + bend(y, x)) + 0.5f * rough(y, x));
  });
}

cv::Mat3f snow(const cv::Mat1f& rough) {
  return paint([&](int y, int x) { return Color(0.92f, 0.95f, 0.98f) - grey(0.8f * std::abs(rough(y, x))); });
}

cv::Mat3f wood(RandomStream& random, const cv::Mat1f& rough) {
  const auto boards = static_cast<float>(random.uniform(2, 4)) / kSide;
  const cv::Mat1f bend = noise(random, 4, 0.25);
  return paint([&](int y, int x) {
    return Color(0.58f, 0.38f, 0.20f) +
           grey(0.08f * wave(x * boards + y * 0.3f / kSide + bend(y, x)) + 0.4f * rough(y, x));
  });
}

cv::Mat3f brick(RandomStream& random, const cv::Mat1f& rough) {
  constexpr int kHeight = 10, kWidth = 20, kJoint = 2;  // pixels
  const int shift = static_cast<int>(random.integer(kWidth));
  return paint([&](int y, int x) {
    const int offset = y / kHeight % 2 * kWidth / 2 + shift;
    const bool joint = y % kHeight < kJoint || (x + offset) % kWidth < kJoint;
    return joint ? Color(0.78f, 0.74f, 0.70f) : Color(0.66f, 0.30f, 0.22f) + grey(rough(y, x));
  });
}

cv::Mat3f night(RandomStream& random, const cv::Mat1f& rough) {
  cv::Mat3f picture =
      paint([&](int y, int x) { return Color(0.05f, 0.06f, 0.18f) + grey(0.12f * y / kSide + 0.3f * rough(y, x)); });
  for (int64_t stars = random.integer(5, 14); stars > 0; --stars) {
    const auto y = static_cast<int>(random.integer(kSide)), x = static_cast<int>(random.integer(kSide));
    picture(y, x) = grey(0.9f);
  }
  return picture;
}

cv::Mat3f sky(RandomStream& random) {
  const cv::Mat1f clouds = noise(random, 5, 0.25);
  return paint([&](int y, int x) {
    return Color(0.45f, 0.70f, 0.94f) + grey(0.25f * y / kSide + 1.2f * std::clamp(clouds(y, x) - 0.1f, 0.0f, 0.5f));
  });
}

cv::Mat3f untinted(Texture texture, RandomStream& random) {
  const cv::Mat1f rough = noise(random, 4, 0.04) + noise(random, 16, 0.03);
  switch (texture) {
    case Texture::kGrass:
      return grass(random, rough);
    case Texture::kSand:
      return sand(rough);
    case Texture::kWater:
      return water(random, rough);
    case Texture::kSnow:
      return snow(rough);
    case Texture::kWood:
      return wood(random, rough);
    case Texture::kBrick:
      return brick(random, rough);
    case Texture::kNight:
      return night(random, rough);
    case Texture::kSky:
      break;
  }
  return sky(random);
}

}  // namespace

cv::Mat3f draw_texture(Texture texture, RandomStream& random) {
  const auto tint = [&] { return static_cast<float>(random.uniform(-0.05, 0.05)); };
  const float red = tint(), green = tint(), blue = tint();
  cv::Mat3f picture = untinted(texture, random);
  for (Color& color : picture) {
    color += Color(red, green, blue);
    for (int c = 0; c < 3; ++c) color[c] = std::clamp(color[c], 0.0f, 1.0f);
  }
  return picture;
}

}  // namespace freeatm::data::world
