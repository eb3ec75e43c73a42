// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include <opencv2/imgproc.hpp>

#include "world/layer.h"
#include "world/scene.h"
#include "world/textures.h"
#include "world/vocabulary.h"

namespace freeatm::data::world {
namespace {

constexpr double kSmallest = 0.38,
                 kLargest[] = {0.70, 0.50, 0.42};      // of the scene's side; the largest by the number of objects
constexpr int kAttempts = 30, kFullSizeAttempts = 15;  // to find a free place; the later ones a little smaller
constexpr double kMostOverlap = 0.05;

std::vector<int> draw_classes(RandomStream& random) {
  const double draw = random.uniform();
  const size_t count = draw < 0.40 ? 1 : draw < 0.85 ? 2 : 3;
  std::vector<int> all(classes().size());
  std::iota(all.begin(), all.end(), 0);
  for (size_t i = 0; i < count; ++i) std::swap(all[i], all[i + random.integer(static_cast<int64_t>(all.size() - i))]);
  all.resize(count);
  return all;
}

Placement draw_placement(int class_index, double largest, RandomStream& random) {
  Placement object;
  object.class_index = class_index;
  object.size = random.uniform(kSmallest, largest) * kSide;
  const double margin = 0.45 * object.size;
  object.x = random.uniform(margin, kSide - margin);
  object.y = random.uniform(margin, kSide - margin);
  object.angle = random.uniform(-15, 15);
  object.mirrored = random.bernoulli(0.5);
  object.brightness = random.uniform(0.9, 1.08);
  return object;
}

}  // namespace

Layout draw_layout(const Sprites& sprites, std::optional<int> only_class, RandomStream& random) {
  Layout layout;
  layout.place = static_cast<int>(random.integer(static_cast<int64_t>(places().size())));
  const std::vector<int> wanted = only_class ? std::vector{*only_class} : draw_classes(random);
  cv::Mat1b taken = cv::Mat1b::zeros(kSide, kSide);
  for (int class_index : wanted) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      Placement object = draw_placement(class_index, kLargest[wanted.size() - 1], random);
      if (attempt >= kFullSizeAttempts) object.size *= 0.85;
      const Layer layer = place_sprite(sprites, object);
      const cv::Mat1b mask = layer.mask();
      if (cv::countNonZero(mask & taken(layer.area)) > kMostOverlap * cv::countNonZero(mask)) continue;
      taken(layer.area) |= mask;
      layout.objects.push_back(object);
      break;
    }
  }
  return layout;
}

}  // namespace freeatm::data::world
