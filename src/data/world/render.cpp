// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

#include "world/layer.h"
#include "world/scene.h"
#include "world/textures.h"

namespace freeatm::data::world {
namespace {

/// The pixels that a turned square of `size` around the object's centre can touch.
cv::Rect reach(const Placement& object) {
  const double angle = std::abs(object.angle) * std::numbers::pi / 180;
  const double radius = 0.5 * object.size * (std::cos(angle) + std::sin(angle)) + 1;
  const cv::Point first(static_cast<int>(std::floor(object.x - radius)),
                        static_cast<int>(std::floor(object.y - radius)));
  const cv::Point last(static_cast<int>(std::ceil(object.x + radius)), static_cast<int>(std::ceil(object.y + radius)));
  return cv::Rect(first, last) & cv::Rect(0, 0, kSide, kSide);
}

void blend(cv::Mat3f& picture, const Layer& layer, float brightness) {
  for (int y = 0; y < layer.area.height; ++y) {
    cv::Vec3f* below = picture[layer.area.y + y] + layer.area.x;
    for (int x = 0; x < layer.area.width; ++x) {
      const cv::Vec4f& above = layer.pixels(y, x);
      for (int c = 0; c < 3; ++c) {
        below[x][c] = below[x][c] * (1 - above[3]) + std::clamp(above[c] * brightness, 0.0f, 1.0f);
      }
    }
  }
}

vision::Image to_bytes(const cv::Mat3f& picture) {
  vision::Image image(kSide, kSide);
  uint8_t* out = image.pixels.data();
  for (const cv::Vec3f& color : picture) {
    for (int c = 0; c < 3; ++c) *out++ = static_cast<uint8_t>(std::clamp(color[c], 0.0f, 1.0f) * 255 + 0.5f);
  }
  return image;
}

}  // namespace

cv::Mat1b Layer::mask() const {
  cv::Mat1f alpha;
  cv::extractChannel(pixels, alpha, 3);
  return alpha > 0.5f;
}

Layer place_sprite(const Sprites& sprites, const Placement& object) {
  const cv::Mat4f& sprite = sprites.at(object.class_index, object.size);
  const double center = 0.5 * sprite.cols;
  Layer layer{reach(object), {}};
  cv::Mat1d turn = cv::getRotationMatrix2D(cv::Point2f(center, center), object.angle, object.size / sprite.cols);
  turn(0, 2) += object.x - center - layer.area.x;
  turn(1, 2) += object.y - center - layer.area.y;
  if (object.mirrored) {  // x of the sprite -> cols - 1 - x, before the turn
    for (int row = 0; row < 2; ++row) {
      turn(row, 2) += turn(row, 0) * (sprite.cols - 1);
      turn(row, 0) *= -1;
    }
  }
  cv::warpAffine(sprite, layer.pixels, turn, layer.area.size(), cv::INTER_LINEAR);
  return layer;
}

Picture render(const Layout& layout, const Sprites& sprites, RandomStream& random) {
  cv::Mat3f picture = draw_texture(places()[layout.place].texture, random);
  std::vector<cv::Mat1b> masks;
  for (const Placement& object : layout.objects) {
    const Layer layer = place_sprite(sprites, object);
    blend(picture, layer, static_cast<float>(object.brightness));
    const cv::Mat1b mask = layer.mask();
    for (cv::Mat1b& behind : masks) behind(layer.area).setTo(0, mask);
    masks.push_back(cv::Mat1b::zeros(kSide, kSide));
    masks.back()(layer.area).setTo(1, mask);
  }
  Picture out{to_bytes(picture), {kSide, kSide}};
  for (const cv::Mat1b& mask : masks) out.masks.add(std::vector<uint8_t>(mask.begin(), mask.end()));
  return out;
}

Scene draw_scene(const Sprites& sprites, std::optional<int> only_class, const RandomStream& random) {
  RandomStream layout_stream = random.fork("layout"), texture_stream = random.fork("texture"),
               caption_stream = random.fork("caption");
  Scene scene;
  scene.layout = draw_layout(sprites, only_class, layout_stream);
  scene.picture = render(scene.layout, sprites, texture_stream);
  scene.caption = describe(scene.layout, caption_stream);
  return scene;
}

}  // namespace freeatm::data::world
