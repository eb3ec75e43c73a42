// SPDX-License-Identifier: Apache-2.0
// What the emoji world holds: its classes, its places, which of them never meet in training, and how captions name
// them.
#pragma once
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace freeatm::world {

struct ClassInfo {
  std::string_view name;
  std::string_view group;  // COCO's supercategory
  char32_t emoji;
  std::array<char32_t, 2> other_drawings = {};  // of the same thing, in `shifted` only; 0: none
};
std::span<const ClassInfo> classes();

/// "dogs", "buses", "strawberries", "palm trees".
std::string plural(std::string_view name);

enum class Texture {
  kGrass,
  kSand,
  kWater,
  kSnow,
  kWood,
  kBrick,
  kNight,
  kSky,
  kGravel,
  kCarpet,
  kRoad,
  kHedge,
  kSunset,
  kMarble
};

struct PlaceInfo {
  std::string_view words;  // "on the grass"
  std::string_view noun;   // the part of `words` that names something: "grass"
  Texture texture;
};
/// The first kSeenPlaces are those of train, val and test; the others are in `shifted` only.
std::span<const PlaceInfo> places();
inline constexpr int kSeenPlaces = 8;

/// Each class keeps away from two of the eight seen places in train, val and test: there `shifted` puts it.
inline bool is_held_out(int class_index, int place) { return place < kSeenPlaces && (class_index + place) % 4 == 0; }

}  // namespace freeatm::world
