// SPDX-License-Identifier: Apache-2.0
#include "label_png_dataset.h"
#include "segmentation_layouts.h"

namespace freeatm::data {
namespace {

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
constexpr int64_t kKnownCityIds = 34;  // 0 to 33, and -1, which is written as 255

}  // namespace

bool holds_cityscapes(const fs::path& root, const std::string& /*split*/) {
  return fs::is_directory(root / "leftImg8bit") && fs::is_directory(root / "gtFine");
}

bool has_cityscapes_split(const fs::path& root, const std::string& split) {
  return fs::is_directory(root / "leftImg8bit" / split) && fs::is_directory(root / "gtFine" / split);
}

std::unique_ptr<Dataset> open_cityscapes(const fs::path& root, const std::string& split) {
  LabelNumbers numbers{.ignores_others = true};
  for (int64_t id = 0; id < kKnownCityIds; ++id) numbers.ignored.push_back(id);
  for (const CityClass& one : kCityClasses) {
    numbers.ids.push_back(one.id);
    numbers.names.emplace_back(one.name);
  }
  return open_label_pngs(
      pair_labels(root / "leftImg8bit" / split, "_leftImg8bit.png", root / "gtFine" / split, "_gtFine_labelIds.png"),
      numbers);
}

}  // namespace freeatm::data
