// SPDX-License-Identifier: Apache-2.0
#include "textures.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

namespace freeatm::world {
namespace {

using Color = cv::Vec3f;

Color grey(float value) { return {value, value, value}; }
float wave(float turns) { return std::sin(2 * std::numbers::pi_v<float> * turns); }

/// What has a length in pixels has it in scenes of 64 pixels, and grows with the side.
class TexturePainter {
 public:
  TexturePainter(int side, RandomStream& random) : side_(side), random_(random) {}

  cv::Mat3f paint(Texture texture) {
    const cv::Mat1f rough = noise(4, 0.04) + noise(16, 0.03);
    switch (texture) {
      case Texture::kGrass:
        return grass(rough);
      case Texture::kSand:
        return sand(rough);
      case Texture::kWater:
        return water(rough);
      case Texture::kSnow:
        return snow(rough);
      case Texture::kWood:
        return wood(rough);
      case Texture::kBrick:
        return brick(rough);
      case Texture::kNight:
        return night(rough);
      case Texture::kGravel:
        return gravel();
      case Texture::kCarpet:
        return carpet(rough);
      case Texture::kRoad:
        return road(rough);
      case Texture::kHedge:
        return hedge();
      case Texture::kSunset:
        return sunset(rough);
      case Texture::kMarble:
        return marble(rough);
      case Texture::kSky:
        break;
    }
    return sky();
  }

 private:
  /// Smooth noise: normal values on cells x cells points, cubic between them.
  cv::Mat1f noise(int cells, double deviation) {
    cv::Mat1f coarse(cells, cells), fine;
    for (float& value : coarse) value = static_cast<float>(random_.normal(0, deviation));
    cv::resize(coarse, fine, {side_, side_}, 0, 0, cv::INTER_CUBIC);
    return fine;
  }

  int in_64(int pixel) const { return pixel * 64 / side_; }

  template <class ColorAt>
  cv::Mat3f filled(ColorAt color_at) {
    cv::Mat3f picture(side_, side_);
    for (int y = 0; y < side_; ++y) {
      for (int x = 0; x < side_; ++x) picture(y, x) = color_at(y, x);
    }
    return picture;
  }

  cv::Mat3f grass(const cv::Mat1f& rough) {
    const cv::Mat1f blades = noise(32, 0.04);
    return filled([&](int y, int x) {
      return Color(0.30f, 0.58f, 0.22f) + rough(y, x) * Color(1, 1.6f, 0.7f) + grey(blades(y, x));
    });
  }

  cv::Mat3f sand(const cv::Mat1f& rough) {
    return filled([&](int y, int x) { return Color(0.86f, 0.76f, 0.53f) + grey(0.8f * rough(y, x)); });
  }

  cv::Mat3f water(const cv::Mat1f& rough) {
    const auto waves = static_cast<float>(random_.uniform(5, 9)) / side_;
    const cv::Mat1f bend = noise(5, 0.35);
    return filled([&](int y, int x) {
      return Color(0.15f, 0.45f, 0.72f) + grey(0.07f * wave(y * waves + bend(y, x)) + 0.5f * rough(y, x));
    });
  }

  cv::Mat3f snow(const cv::Mat1f& rough) {
    return filled([&](int y, int x) { return Color(0.92f, 0.95f, 0.98f) - grey(0.8f * std::abs(rough(y, x))); });
  }

  cv::Mat3f wood(const cv::Mat1f& rough) {
    const auto boards = static_cast<float>(random_.uniform(2, 4)) / side_;
    const cv::Mat1f bend = noise(4, 0.25);
    return filled([&](int y, int x) {
      return Color(0.58f, 0.38f, 0.20f) +
             grey(0.08f * wave(x * boards + y * 0.3f / side_ + bend(y, x)) + 0.4f * rough(y, x));
    });
  }

  cv::Mat3f brick(const cv::Mat1f& rough) {
    constexpr int kHeight = 10, kWidth = 20, kJoint = 2;  // pixels
    const int shift = static_cast<int>(random_.integer(kWidth));
    return filled([&](int row, int column) {
      const int y = in_64(row), x = in_64(column);
      const int offset = y / kHeight % 2 * kWidth / 2 + shift;
      const bool joint = y % kHeight < kJoint || (x + offset) % kWidth < kJoint;
      return joint ? Color(0.78f, 0.74f, 0.70f) : Color(0.66f, 0.30f, 0.22f) + grey(rough(row, column));
    });
  }

  cv::Mat3f night(const cv::Mat1f& rough) {
    cv::Mat3f picture =
        filled([&](int y, int x) { return Color(0.05f, 0.06f, 0.18f) + grey(0.12f * y / side_ + 0.3f * rough(y, x)); });
    for (int64_t stars = random_.integer(5, 14); stars > 0; --stars) {
      const auto y = static_cast<int>(random_.integer(side_)), x = static_cast<int>(random_.integer(side_));
      picture(y, x) = grey(0.9f);
    }
    return picture;
  }

  cv::Mat3f sky() {
    const cv::Mat1f clouds = noise(5, 0.25);
    return filled([&](int y, int x) {
      return Color(0.45f, 0.70f, 0.94f) + grey(0.25f * y / side_ + 1.2f * std::clamp(clouds(y, x) - 0.1f, 0.0f, 0.5f));
    });
  }

  cv::Mat3f gravel() {
    const cv::Mat1f stones = noise(21, 0.10), specks = noise(48, 0.05);
    return filled([&](int y, int x) { return Color(0.55f, 0.53f, 0.50f) + grey(stones(y, x) + specks(y, x)); });
  }

  cv::Mat3f carpet(const cv::Mat1f& rough) {
    const auto check = static_cast<int>(random_.integer(7, 12));  // pixels
    return filled([&](int y, int x) {
      const bool dark = (in_64(x) / check + in_64(y) / check) % 2 == 0;
      return (dark ? Color(0.50f, 0.16f, 0.36f) : Color(0.80f, 0.62f, 0.66f)) + grey(0.6f * rough(y, x));
    });
  }

  cv::Mat3f road(const cv::Mat1f& rough) {
    constexpr int kDash = 12, kGap = 8, kWidth = 4;  // pixels
    const auto left = static_cast<int>(random_.integer(8, 56)), start = static_cast<int>(random_.integer(kDash));
    const cv::Mat1f grain = noise(48, 0.03);
    return filled([&](int row, int column) {
      const int y = in_64(row), x = in_64(column);
      const bool line = x >= left && x < left + kWidth && (y + start) % (kDash + kGap) < kDash;
      return grey((line ? 0.88f : 0.27f) + 0.5f * rough(row, column) + grain(row, column));
    });
  }

  cv::Mat3f hedge() {
    const cv::Mat1f leaves = noise(16, 1), light = noise(28, 0.06);
    return filled([&](int y, int x) {
      return (leaves(y, x) > 0 ? Color(0.10f, 0.30f, 0.10f) : Color(0.20f, 0.44f, 0.16f)) + grey(light(y, x));
    });
  }

  cv::Mat3f sunset(const cv::Mat1f& rough) {
    const auto horizon = static_cast<float>(random_.uniform(0.5, 0.9));
    return filled([&](int y, int x) {
      const float down = std::min(1.0f, y / (horizon * side_));
      return Color(0.42f, 0.18f, 0.42f) * (1 - down) + Color(0.98f, 0.60f, 0.26f) * down + grey(0.6f * rough(y, x));
    });
  }

  cv::Mat3f marble(const cv::Mat1f& rough) {
    const auto tiles = static_cast<int>(random_.integer(18, 28));  // pixels
    const cv::Mat1f veins = noise(7, 1);
    return filled([&](int y, int x) {
      const bool joint = in_64(x) % tiles == 0 || in_64(y) % tiles == 0;
      const float vein = 0.25f * std::exp(-40 * veins(y, x) * veins(y, x));
      return joint ? grey(0.55f) : Color(0.84f, 0.86f, 0.83f) - grey(vein) + grey(0.4f * rough(y, x));
    });
  }

  int side_;
  RandomStream& random_;
};

}  // namespace

cv::Mat3f draw_texture(Texture texture, int side, double tint, RandomStream& random) {
  const auto off = [&] { return static_cast<float>(random.uniform(-tint, tint)); };
  const float red = off(), green = off(), blue = off();
  cv::Mat3f picture = TexturePainter(side, random).paint(texture);
  for (Color& color : picture) {
    color += Color(red, green, blue);
    for (int c = 0; c < 3; ++c) color[c] = std::clamp(color[c], 0.0f, 1.0f);
  }
  return picture;
}

}  // namespace freeatm::world
