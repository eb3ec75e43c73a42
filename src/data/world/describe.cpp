// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "freeatm/core/format.h"

#include "world/scene.h"
#include "world/vocabulary.h"

namespace freeatm::data::world {
namespace {

constexpr std::string_view kOpenings[] = {"a photo of ", "a picture of ", "an image of ", ""};
constexpr double kRelationShare = 0.33, kPlaceShare = 0.85;

std::string_view article(std::string_view noun) {
  return std::string_view("aeiou").find(noun[0]) != std::string_view::npos ? "an " : "a ";
}

/// How `a` stands to `b`, by the axis on which their centres are further apart.
std::string_view relation(const Placement& a, const Placement& b) {
  const double right = a.x - b.x, down = a.y - b.y;
  if (std::abs(right) > std::abs(down)) return right < 0 ? " to the left of " : " to the right of ";
  return down < 0 ? " above " : " below ";
}

/// Appends `words`, whose part `noun` becomes a phrase.
void append(Caption& caption, std::string_view words, std::string_view noun, text::Role role) {
  const auto begin = static_cast<int64_t>(caption.text.size() + words.rfind(noun));
  caption.text += words;
  caption.phrases.push_back({std::string(noun), role, {begin, begin + static_cast<int64_t>(noun.size())}, {}});
}

}  // namespace

Caption describe(const Layout& layout, RandomStream& random) {
  const auto& objects = layout.objects;
  Caption caption{std::string(kOpenings[random.integer(std::size(kOpenings))]), {}};
  const bool related = objects.size() == 2 && random.bernoulli(kRelationShare);
  for (size_t i = 0; i < objects.size(); ++i) {
    if (i > 0) caption.text += related ? relation(objects[0], objects[1]) : i + 1 == objects.size() ? " and " : ", ";
    const std::string_view name = classes()[objects[i].class_index].name;
    append(caption, format("{}{}", article(name), name), name, text::Role::kThing);
  }
  const PlaceInfo& place = places()[layout.place];
  if (random.bernoulli(kPlaceShare)) append(caption, format(" {}", place.words), place.noun, text::Role::kStuff);
  return caption;
}

}  // namespace freeatm::data::world
