// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include <opencv2/imgproc.hpp>

#include "layer.h"
#include "scene.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

/// What the two domains draw from. Sizes are of the scene's side; the largest by the number of objects.
struct Ranges {
  double smallest, largest[3];
  double angle;                                    // degrees to either side
  double darkest, brightest, palest, most_colour;  // factors
  double hue;                                      // degrees to either side
  double corner;                                   // of the object's size, to either side
};
constexpr Ranges kSeenRanges = {0.38, {0.70, 0.56, 0.44}, 15, 0.9, 1.08, 1, 1, 0, 0},
                 kShiftedRanges = {0.30, {0.85, 0.60, 0.48}, 35, 0.65, 1.25, 0.4, 1.5, 20, 0.12};

constexpr int kAttempts = 30, kFullSizeAttempts = 15;  // to find a free place; the later ones a little smaller
constexpr double kMostOverlap = 0.05;
constexpr double kTwoOfAKind = 0.12, kTwoAndOne = 0.2, kThreeOfAKind = 0.08;  // shares of scenes of two, of three
constexpr double kUnseenPlace = 0.5, kOtherDrawing = 0.5;                     // shares of `shifted`

int draw_place(Domain domain, RandomStream& random) {
  if (domain == Domain::kShifted && random.bernoulli(kUnseenPlace))
    return static_cast<int>(random.integer(kSeenPlaces, static_cast<int64_t>(places().size())));
  return static_cast<int>(random.integer(kSeenPlaces));
}

/// Seen places have the classes that are not held out, or in `shifted` only those; unseen places have all.
bool may_stand(Domain domain, int class_index, int place) {
  return place >= kSeenPlaces || is_held_out(class_index, place) == (domain == Domain::kShifted);
}

std::vector<int> draw_classes(Domain domain, int place, RandomStream& random) {
  const double draw = random.uniform(), kinds = random.uniform();
  const size_t count = draw < 0.40 ? 1 : draw < 0.85 ? 2 : 3;
  std::vector<int> chosen;
  for (int i = 0; i < static_cast<int>(classes().size()); ++i) {
    if (may_stand(domain, i, place)) chosen.push_back(i);
  }
  for (size_t i = 0; i < count; ++i)
    std::swap(chosen[i], chosen[i + random.integer(static_cast<int64_t>(chosen.size() - i))]);
  chosen.resize(count);
  if (count == 2 && kinds < kTwoOfAKind) chosen[1] = chosen[0];
  if (count == 3 && kinds < kTwoAndOne + kThreeOfAKind) chosen[1] = chosen[0];
  if (count == 3 && kinds < kThreeOfAKind) chosen[2] = chosen[0];
  return chosen;
}

Placement draw_placement(const Sprites& sprites, const Layout& layout, int class_index, size_t objects,
                         RandomStream& random) {
  const auto [side, scale] = layout.canvas;
  const Domain domain = layout.domain;
  const Ranges& ranges = domain == Domain::kSeen ? kSeenRanges : kShiftedRanges;
  Placement object;
  object.class_index = class_index;
  object.size = random.uniform(ranges.smallest, ranges.largest[objects - 1]) * side * scale;
  const double margin = 0.45 * object.size;
  object.x = random.uniform(margin, side - margin);
  object.y = random.uniform(margin, side - margin);
  object.angle = random.uniform(-ranges.angle, ranges.angle);
  object.mirrored = random.bernoulli(0.5);
  object.brightness = random.uniform(ranges.darkest, ranges.brightest);
  if (domain == Domain::kSeen) return object;

  object.saturation = random.uniform(ranges.palest, ranges.most_colour);
  object.hue = random.uniform(-ranges.hue, ranges.hue);
  for (double& corner : object.corners) corner = random.uniform(-ranges.corner, ranges.corner);
  const int others = sprites.drawings(class_index) - 1;
  if (others > 0 && random.bernoulli(kOtherDrawing)) object.drawing = 1 + static_cast<int>(random.integer(others));
  return object;
}

}  // namespace

Layout draw_layout(const Sprites& sprites, Domain domain, std::optional<int> only_class, const Canvas& canvas,
                   RandomStream& random) {
  Layout layout{canvas, domain, 0, {}};
  do layout.place = draw_place(domain, random);
  while (only_class && !may_stand(domain, *only_class, layout.place));
  const std::vector<int> wanted = only_class ? std::vector{*only_class} : draw_classes(domain, layout.place, random);
  cv::Mat1b taken = cv::Mat1b::zeros(canvas.side, canvas.side);
  for (int class_index : wanted) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      Placement object = draw_placement(sprites, layout, class_index, wanted.size(), random);
      if (attempt >= kFullSizeAttempts) object.size *= 0.85;
      const Layer layer = place_sprite(sprites, object, canvas.side);
      const cv::Mat1b mask = layer.mask();
      if (cv::countNonZero(mask & taken(layer.area)) > kMostOverlap * cv::countNonZero(mask)) continue;
      taken(layer.area) |= mask;
      layout.objects.push_back(object);
      break;
    }
  }
  return layout;
}

}  // namespace freeatm::world
