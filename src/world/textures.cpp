// SPDX-License-Identifier: Apache-2.0
#include "textures.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

namespace freeatm::world {
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

cv::Mat3f gravel(RandomStream& random) {
  const cv::Mat1f stones = noise(random, 21, 0.10), specks = noise(random, 48, 0.05);
  return paint([&](int y, int x) { return Color(0.55f, 0.53f, 0.50f) + grey(stones(y, x) + specks(y, x)); });
}

cv::Mat3f carpet(RandomStream& random, const cv::Mat1f& rough) {
  const auto check = static_cast<int>(random.integer(7, 12));  // pixels
  return paint([&](int y, int x) {
    const bool dark = (x / check + y / check) % 2 == 0;
    return (dark ? Color(0.50f, 0.16f, 0.36f) : Color(0.80f, 0.62f, 0.66f)) + grey(0.6f * rough(y, x));
  });
}

cv::Mat3f road(RandomStream& random, const cv::Mat1f& rough) {
  constexpr int kDash = 12, kGap = 8, kWidth = 4;  // pixels
  const auto left = static_cast<int>(random.integer(8, kSide - 8)), start = static_cast<int>(random.integer(kDash));
  const cv::Mat1f grain = noise(random, 48, 0.03);
  return paint([&](int y, int x) {
    const bool line = x >= left && x < left + kWidth && (y + start) % (kDash + kGap) < kDash;
    return grey((line ? 0.88f : 0.27f) + 0.5f * rough(y, x) + grain(y, x));
  });
}

cv::Mat3f hedge(RandomStream& random) {
  const cv::Mat1f leaves = noise(random, 16, 1), light = noise(random, 28, 0.06);
  return paint([&](int y, int x) {
    return (leaves(y, x) > 0 ? Color(0.10f, 0.30f, 0.10f) : Color(0.20f, 0.44f, 0.16f)) + grey(light(y, x));
  });
}

cv::Mat3f sunset(RandomStream& random, const cv::Mat1f& rough) {
  const auto horizon = static_cast<float>(random.uniform(0.5, 0.9));
  return paint([&](int y, int x) {
    const float down = std::min(1.0f, y / (horizon * kSide));
    return Color(0.42f, 0.18f, 0.42f) * (1 - down) + Color(0.98f, 0.60f, 0.26f) * down + grey(0.6f * rough(y, x));
  });
}

cv::Mat3f marble(RandomStream& random, const cv::Mat1f& rough) {
  const auto tiles = static_cast<int>(random.integer(18, 28));  // pixels
  const cv::Mat1f veins = noise(random, 7, 1);
  return paint([&](int y, int x) {
    const bool joint = x % tiles == 0 || y % tiles == 0;
    const float vein = 0.25f * std::exp(-40 * veins(y, x) * veins(y, x));
    return joint ? grey(0.55f) : Color(0.84f, 0.86f, 0.83f) - grey(vein) + grey(0.4f * rough(y, x));
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
    case Texture::kGravel:
      return gravel(random);
    case Texture::kCarpet:
      return carpet(random, rough);
    case Texture::kRoad:
      return road(random, rough);
    case Texture::kHedge:
      return hedge(random);
    case Texture::kSunset:
      return sunset(random, rough);
    case Texture::kMarble:
      return marble(random, rough);
    case Texture::kSky:
      break;
  }
  return sky(random);
}

}  // namespace

cv::Mat3f draw_texture(Texture texture, double tint, RandomStream& random) {
  const auto off = [&] { return static_cast<float>(random.uniform(-tint, tint)); };
  const float red = off(), green = off(), blue = off();
  cv::Mat3f picture = untinted(texture, random);
  for (Color& color : picture) {
    color += Color(red, green, blue);
    for (int c = 0; c < 3; ++c) color[c] = std::clamp(color[c], 0.0f, 1.0f);
  }
  return picture;
}

}  // namespace freeatm::world
