// SPDX-License-Identifier: Apache-2.0
#include "vocabulary.h"

#include "freeatm/core/names.h"
#include "freeatm/world/world.h"

namespace freeatm::world {
namespace {

constexpr ClassInfo kClasses[] = {
    {"dog", "animal", U'\U0001F436', {U'\U0001F415', U'\U0001F429'}},
    {"cat", "animal", U'\U0001F431', {U'\U0001F408'}},
    {"pig", "animal", U'\U0001F437', {U'\U0001F416'}},
    {"frog", "animal", U'\U0001F438'},
    {"panda", "animal", U'\U0001F43C'},
    {"lion", "animal", U'\U0001F981'},
    {"cow", "animal", U'\U0001F42E', {U'\U0001F404'}},
    {"monkey", "animal", U'\U0001F435', {U'\U0001F412'}},
    {"rabbit", "animal", U'\U0001F430', {U'\U0001F407'}},
    {"chick", "animal", U'\U0001F425', {U'\U0001F424', U'\U0001F423'}},
    {"bus", "vehicle", U'\U0001F68C', {U'\U0001F68D'}},
    {"taxi", "vehicle", U'\U0001F695', {U'\U0001F696'}},
    {"car", "vehicle", U'\U0001F697', {U'\U0001F698', U'\U0001F699'}},
    {"tractor", "vehicle", U'\U0001F69C'},
    {"bicycle", "vehicle", U'\U0001F6B2'},
    {"rocket", "vehicle", U'\U0001F680'},
    {"sailboat", "vehicle", U'\u26F5'},
    {"train", "vehicle", U'\U0001F686', {U'\U0001F682', U'\U0001F684'}},
    {"apple", "food", U'\U0001F34E', {U'\U0001F34F'}},
    {"banana", "food", U'\U0001F34C'},
    {"pizza", "food", U'\U0001F355'},
    {"hamburger", "food", U'\U0001F354'},
    {"cake", "food", U'\U0001F370', {U'\U0001F382'}},
    {"donut", "food", U'\U0001F369'},
    {"watermelon", "food", U'\U0001F349'},
    {"strawberry", "food", U'\U0001F353'},
    {"carrot", "food", U'\U0001F955'},
    {"cookie", "food", U'\U0001F36A'},
    {"tree", "plant", U'\U0001F333', {U'\U0001F332'}},
    {"cactus", "plant", U'\U0001F335'},
    {"sunflower", "plant", U'\U0001F33B'},
    {"mushroom", "plant", U'\U0001F344'},
    {"ball", "thing", U'\u26BD', {U'\U0001F3C0', U'\U0001F3D0'}},
    {"clock", "thing", U'\u23F0', {U'\U0001F570'}},
    {"umbrella", "thing", U'\u2614', {U'\U0001F302', U'\u26F1'}},
    {"guitar", "thing", U'\U0001F3B8'},
    {"balloon", "thing", U'\U0001F388'},
    {"palm tree", "plant", U'\U0001F334', {U'\U0001F3DD'}},
    {"fire truck", "vehicle", U'\U0001F692'},
    {"police car", "vehicle", U'\U0001F693', {U'\U0001F694'}},
};

constexpr PlaceInfo kPlaces[] = {
    {"on the grass", "grass", Texture::kGrass},
    {"on the sand", "sand", Texture::kSand},
    {"in the water", "water", Texture::kWater},
    {"in the snow", "snow", Texture::kSnow},
    {"on a wooden floor", "wooden floor", Texture::kWood},
    {"in front of a brick wall", "brick wall", Texture::kBrick},
    {"at night", "night", Texture::kNight},
    {"in the sky", "sky", Texture::kSky},
    {"on the gravel", "gravel", Texture::kGravel},
    {"on a carpet", "carpet", Texture::kCarpet},
    {"on the road", "road", Texture::kRoad},
    {"in front of a hedge", "hedge", Texture::kHedge},
    {"at sunset", "sunset", Texture::kSunset},
    {"on a marble floor", "marble floor", Texture::kMarble},
};

}  // namespace

std::span<const ClassInfo> classes() { return kClasses; }
std::span<const PlaceInfo> places() { return kPlaces; }

std::string plural(std::string_view name) {
  const std::string_view vowels = "aeiou";
  const char last = name.back(), before = name[name.size() - 2];
  if (last == 'y' && vowels.find(before) == vowels.npos) return std::string(name.substr(0, name.size() - 1)) + "ies";
  return std::string(name) + (last == 's' ? "es" : "s");
}

std::vector<std::string> class_names() { return names_in(classes()); }

text::Lexicon lexicon() {
  text::Lexicon words{class_names(), {}};
  for (const auto& place : places()) words.stuff.emplace_back(place.noun);
  return words;
}

}  // namespace freeatm::world
