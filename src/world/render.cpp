// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

#include "layer.h"
#include "scene.h"
#include "textures.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

constexpr int kMoreCaptions = 4;  // of a crowded scene: five in all, as COCO has

bool closer_to_zero(double a, double b) { return std::abs(a) < std::abs(b); }

/// The pixels of a scene that a turned square of `size` around the object's centre can touch.
cv::Rect reach(const Placement& object, int side) {
  const double angle = std::abs(object.angle) * std::numbers::pi / 180;
  const double drawn_away = std::abs(*std::max_element(object.corners.begin(), object.corners.end(), closer_to_zero));
  const double radius = object.size * (0.5 * (std::cos(angle) + std::sin(angle)) + std::sqrt(2) * drawn_away) + 1;
  const cv::Point first(static_cast<int>(std::floor(object.x - radius)),
                        static_cast<int>(std::floor(object.y - radius)));
  const cv::Point last(static_cast<int>(std::ceil(object.x + radius)), static_cast<int>(std::ceil(object.y + radius)));
  return cv::Rect(first, last) & cv::Rect(0, 0, side, side);
}

/// RGB -> RGB: the colour circle turned about grey, away from or towards grey, lighter or darker.
cv::Matx33f color_change(const Placement& object) {
  const double angle = object.hue * std::numbers::pi / 180, c = std::cos(angle), s = std::sin(angle) / std::sqrt(3);
  const double same = c + (1 - c) / 3, next = (1 - c) / 3 - s, last = (1 - c) / 3 + s;
  const cv::Matx33d turn(same, next, last, last, same, next, next, last, same);
  const cv::Matx33d to_grey = cv::Matx33d::all(1.0 / 3);
  return cv::Matx33f((to_grey + object.saturation * (cv::Matx33d::eye() - to_grey)) * turn * object.brightness);
}

void blend(cv::Mat3f& picture, const Layer& layer, const cv::Matx33f& color) {
  for (int y = 0; y < layer.area.height; ++y) {
    cv::Vec3f* below = picture[layer.area.y + y] + layer.area.x;
    for (int x = 0; x < layer.area.width; ++x) {
      const cv::Vec4f& above = layer.pixels(y, x);  // premultiplied, and stays so: the change is linear
      const cv::Vec3f changed = color * cv::Vec3f(above.val);
      for (int c = 0; c < 3; ++c) {
        below[x][c] = below[x][c] * (1 - above[3]) + std::clamp(changed[c], 0.0f, above[3]);
      }
    }
  }
}

vision::Image to_bytes(const cv::Mat3f& picture) {
  vision::Image image(picture.rows, picture.cols);
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

Layer place_sprite(const Sprites& sprites, const Placement& object, int scene_side) {
  const cv::Mat4f& sprite = sprites.at(object.class_index, object.drawing, object.style, object.size);
  const double center = 0.5 * sprite.cols;
  Layer layer{reach(object, scene_side), {}};
  cv::Mat1d turn = cv::getRotationMatrix2D(cv::Point2f(center, center), object.angle, object.size / sprite.cols);
  turn(0, 2) += object.x - center - layer.area.x;
  turn(1, 2) += object.y - center - layer.area.y;
  if (object.mirrored) {  // x of the sprite -> cols - 1 - x, before the turn
    for (int row = 0; row < 2; ++row) {
      turn(row, 2) += turn(row, 0) * (sprite.cols - 1);
      turn(row, 0) *= -1;
    }
  }
  if (std::all_of(object.corners.begin(), object.corners.end(), [](double corner) { return corner == 0; })) {
    cv::warpAffine(sprite, layer.pixels, turn, layer.area.size(), cv::INTER_LINEAR);
  } else {
    const auto side = static_cast<float>(sprite.cols);
    const cv::Point2f from[] = {{0, 0}, {side, 0}, {side, side}, {0, side}};
    cv::Point2f to[4];
    for (int i = 0; i < 4; ++i) {
      const auto at = [&](int row) {
        const double plain = turn(row, 0) * from[i].x + turn(row, 1) * from[i].y + turn(row, 2);
        return static_cast<float>(plain + object.corners[2 * i + row] * object.size);
      };
      to[i] = {at(0), at(1)};
    }
    cv::warpPerspective(sprite, layer.pixels, cv::getPerspectiveTransform(from, to), layer.area.size());
  }
  return layer;
}

Picture render(const Layout& layout, const Sprites& sprites, RandomStream& random) {
  const int side = layout.canvas.side;
  RandomStream through = random;  // the same draws: what shows through is the texture that would be there
  cv::Mat3f picture = draw_texture(places()[layout.place].texture, side, layout.tint, random);
  if (layout.opacity < 1) {
    const cv::Mat3f below = draw_texture(places()[layout.through].texture, side, layout.tint, through);
    cv::addWeighted(picture, layout.opacity, below, 1 - layout.opacity, 0, picture);
  }
  std::vector<cv::Mat1b> masks;
  for (const Placement& object : layout.objects) {
    const Layer layer = place_sprite(sprites, object, side);
    blend(picture, layer, color_change(object));
    const cv::Mat1b mask = layer.mask();
    for (cv::Mat1b& behind : masks) behind(layer.area).setTo(0, mask);
    masks.push_back(cv::Mat1b::zeros(side, side));
    masks.back()(layer.area).setTo(1, mask);
  }
  Picture out{to_bytes(picture), {side, side}};
  for (const cv::Mat1b& mask : masks) out.masks.add(std::vector<uint8_t>(mask.begin(), mask.end()));
  return out;
}

Scene draw_scene(const Sprites& sprites, const Domain& domain, std::optional<int> only_class,
                 const RandomStream& random, const Canvas& canvas) {
  RandomStream layout_stream = random.fork("layout"), texture_stream = random.fork("texture"),
               caption_stream = random.fork("caption");
  Scene scene;
  scene.layout = draw_layout(sprites, domain, only_class, canvas, layout_stream);
  scene.picture = render(scene.layout, sprites, texture_stream);
  scene.caption = describe(scene.layout, caption_stream);
  for (int i = 0; canvas.is_crowded && i < kMoreCaptions; ++i)
    scene.more_captions.push_back(describe_part(scene.layout, caption_stream));
  return scene;
}

}  // namespace freeatm::world
