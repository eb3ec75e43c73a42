// SPDX-License-Identifier: Apache-2.0
// What the emoji world holds: its classes, its places, and how captions name them.
#pragma once
#include <span>
#include <string_view>

namespace freeatm::data::world {

struct ClassInfo {
  std::string_view name;
  std::string_view group;  // COCO's supercategory
  char32_t emoji;
};
std::span<const ClassInfo> classes();

enum class Texture { kGrass, kSand, kWater, kSnow, kWood, kBrick, kNight, kSky };

struct PlaceInfo {
  std::string_view words;  // "on the grass"
  std::string_view noun;   // the part of `words` that names something: "grass"
  Texture texture;
};
std::span<const PlaceInfo> places();

}  // namespace freeatm::data::world
