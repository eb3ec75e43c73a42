// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <opencv2/imgproc.hpp>

#include "layer.h"
#include "scene.h"
#include "vocabulary.h"

namespace freeatm::world {
namespace {

constexpr int kFewestCrowded = 3, kMostCrowded = 6;              // objects
constexpr double kCrowdedAlike = 0.3, kCrowdedThreeAlike = 0.1;  // shares of crowded scenes with two or three
constexpr int kAttempts = 30, kFullSizeAttempts = 15;  // to find a free place; the later ones a little smaller
constexpr double kMostOverlap = 0.05;
constexpr double kTwoOfAKind = 0.12, kTwoAndOne = 0.2, kThreeOfAKind = 0.08;  // shares of scenes of two, of three

int draw_seen_place(RandomStream& random) { return static_cast<int>(random.integer(kSeenPlaces)); }
int draw_unseen_place(RandomStream& random) {
  return static_cast<int>(random.integer(kSeenPlaces, static_cast<int64_t>(places().size())));
}

int draw_place(const Domain& domain, RandomStream& random) {
  const bool unseen = domain.places == Places::kOther && random.bernoulli(domain.unseen_places);
  return unseen ? draw_unseen_place(random) : draw_seen_place(random);
}

/// Seen places have the classes that are not held out, or of kOther only those; unseen places have all.
bool may_stand(const Domain& domain, int class_index, int place) {
  return place >= kSeenPlaces || is_held_out(class_index, place) == (domain.places == Places::kOther);
}

/// A place where train has none of these classes.
int draw_moved_place(const Domain& domain, const std::vector<int>& classes, RandomStream& random) {
  std::vector<int> held_out;
  for (int place = 0; place < kSeenPlaces; ++place) {
    if (std::ranges::all_of(classes, [&](int class_index) { return is_held_out(class_index, place); }))
      held_out.push_back(place);
  }
  const bool unseen = random.bernoulli(domain.unseen_places);
  if (unseen || held_out.empty()) return draw_unseen_place(random);
  return held_out[random.integer(static_cast<int64_t>(held_out.size()))];
}

std::vector<int> draw_classes(const Domain& domain, int place, bool is_crowded, RandomStream& random) {
  const double draw = random.uniform(), kinds = random.uniform();
  const size_t count = is_crowded    ? kFewestCrowded + random.integer(kMostCrowded - kFewestCrowded + 1)
                       : draw < 0.40 ? 1
                       : draw < 0.85 ? 2
                                     : 3;
  std::vector<int> chosen;
  for (int i = 0; i < static_cast<int>(classes().size()); ++i) {
    if (may_stand(domain, i, place)) chosen.push_back(i);
  }
  for (size_t i = 0; i < count; ++i)
    std::swap(chosen[i], chosen[i + random.integer(static_cast<int64_t>(chosen.size() - i))]);
  chosen.resize(count);
  if (is_crowded) {
    if (kinds < kCrowdedAlike) chosen[1] = chosen[0];
    if (kinds < kCrowdedThreeAlike) chosen[2] = chosen[0];
    return chosen;
  }
  if (count == 2 && kinds < kTwoOfAKind) chosen[1] = chosen[0];
  if (count == 3 && kinds < kTwoAndOne + kThreeOfAKind) chosen[1] = chosen[0];
  if (count == 3 && kinds < kThreeOfAKind) chosen[2] = chosen[0];
  return chosen;
}

///   change: what the domain changes is drawn from it
Placement draw_placement(const Sprites& sprites, const Domain& domain, const Canvas& canvas, int class_index,
                         size_t objects, RandomStream& random, RandomStream& change) {
  const Ranges& look = domain.look;
  Placement object;
  object.class_index = class_index;
  const auto [smallest, largest] = canvas.is_crowded ? std::pair(look.crowded_smallest, look.crowded_largest)
                                                     : std::pair(look.smallest, look.largest[objects - 1]);
  object.size = random.uniform(smallest, largest) * canvas.side * canvas.scale;
  const double margin = 0.45 * object.size;
  object.x = random.uniform(margin, canvas.side - margin);
  object.y = random.uniform(margin, canvas.side - margin);
  object.angle = random.uniform(-look.angle, look.angle);
  object.mirrored = random.bernoulli(0.5);
  object.brightness = random.uniform(look.darkest, look.brightest);
  if (domain.changes_colour) {
    object.saturation = change.uniform(look.palest, look.most_colour);
    object.hue = change.uniform(-look.hue, look.hue);
    for (double& corner : object.corners) corner = change.uniform(-look.corner, look.corner);
  }
  const int others = sprites.drawings(class_index) - 1;
  if (others > 0 && domain.other_glyphs > 0 && change.bernoulli(domain.other_glyphs))
    object.drawing = 1 + static_cast<int>(change.integer(others));
  else if (domain.redraws)
    object.style = change.bernoulli(domain.outlines) ? Style::kOutline : Style::kFlat;
  return object;
}

}  // namespace

Layout draw_layout(const Sprites& sprites, const Domain& domain, std::optional<int> only_class, const Canvas& canvas,
                   RandomStream& random) {
  Layout layout{.canvas = canvas, .tint = domain.tint};
  do layout.place = draw_place(domain, random);
  while (only_class && !may_stand(domain, *only_class, layout.place));
  const std::vector<int> wanted =
      only_class ? std::vector{*only_class} : draw_classes(domain, layout.place, canvas.is_crowded, random);
  RandomStream ladder = random.fork("ladder");
  RandomStream& change = domain.is_ladder ? ladder : random;
  if (domain.places == Places::kMoved) {
    layout.through = std::exchange(layout.place, draw_moved_place(domain, wanted, change));
    layout.opacity = domain.opacity;
  }
  cv::Mat1b taken = cv::Mat1b::zeros(canvas.side, canvas.side);
  for (int class_index : wanted) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      Placement object = draw_placement(sprites, domain, canvas, class_index, wanted.size(), random, change);
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
