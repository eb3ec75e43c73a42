// SPDX-License-Identifier: Apache-2.0
// What the numbers in PNGs of classes mean.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/vision/label_map.h"

namespace freeatm::data {

struct LabelNumbers {
  std::vector<std::string> names;                               // of the classes
  std::vector<int64_t> ids;                                     // the number of each, 0 to 255
  std::vector<int64_t> ignored = {vision::LabelMap::kIgnored};  // numbers of no class, but for those in `ids`
  bool ignores_others = false;                                  // all other numbers are of no class; else unknown

  /// What each number means: a place among the classes, or LabelMap::kIgnored; none: unknown. All at once, so that a
  /// class's place is never taken for another's number.
  std::array<std::optional<uint8_t>, 256> places() const;
  /// The same, but that others are unknown even where they are ignored.
  std::array<std::optional<uint8_t>, 256> known_places() const;
};

/// ADE20K's: 1 to 150 are the classes, 0 is none. Names are the numbers: its objectInfo150.txt has others.
LabelNumbers ade20k_numbers();
/// Cityscapes' label ids: the 19 that are judged, in the order of their train ids; all others are of no class.
LabelNumbers cityscapes_numbers();

}  // namespace freeatm::data
