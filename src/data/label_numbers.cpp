// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/label_numbers.h"

#include <algorithm>

namespace freeatm::data {
namespace {

constexpr int64_t kAdeClasses = 150;
constexpr int64_t kKnownCityIds = 34;  // 0 to 33, and -1, which is written as 255

struct CityClass {
  int64_t id;
  const char* name;
};

// The label ids and names that cityscapesScripts' labels.py judges, in the order of their train ids.
constexpr CityClass kCityClasses[] = {
    {7, "road"},  {8, "sidewalk"},       {11, "building"},     {12, "wall"},       {13, "fence"},
    {17, "pole"}, {19, "traffic light"}, {20, "traffic sign"}, {21, "vegetation"}, {22, "terrain"},
    {23, "sky"},  {24, "person"},        {25, "rider"},        {26, "car"},        {27, "truck"},
    {28, "bus"},  {31, "train"},         {32, "motorcycle"},   {33, "bicycle"}};

}  // namespace

std::array<std::optional<uint8_t>, 256> LabelNumbers::known_places() const {
  std::array<std::optional<uint8_t>, 256> places;
  for (const int64_t number : ignored) places.at(number) = vision::LabelMap::kIgnored;
  for (size_t i = 0; i < ids.size(); ++i) places.at(ids[i]) = static_cast<uint8_t>(i);
  return places;
}

std::array<std::optional<uint8_t>, 256> LabelNumbers::places() const {
  auto places = known_places();
  if (!ignores_others) return places;
  for (auto& place : places) place = place.value_or(vision::LabelMap::kIgnored);
  return places;
}

LabelNumbers ade20k_numbers() {
  LabelNumbers numbers{.ignored = {0, vision::LabelMap::kIgnored}};
  for (int64_t number = 1; number <= kAdeClasses; ++number) {
    numbers.ids.push_back(number);
    numbers.names.push_back(std::to_string(number));
  }
  return numbers;
}

LabelNumbers cityscapes_numbers() {
  LabelNumbers numbers{.ignores_others = true};
  for (const CityClass& one : kCityClasses) {
    numbers.ids.push_back(one.id);
    numbers.names.emplace_back(one.name);
  }
  for (int64_t id = 0; id < kKnownCityIds; ++id) {
    if (std::ranges::count(numbers.ids, id) == 0) numbers.ignored.push_back(id);
  }
  return numbers;
}

}  // namespace freeatm::data
