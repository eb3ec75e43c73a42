// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "freeatm/vision/label_map.h"

namespace freeatm::data {

/// The classes that a map shows, rising.
inline std::vector<int64_t> classes_in(const vision::LabelMap& map) {
  std::array<bool, 256> is_there{};
  for (const uint8_t label : map.labels) is_there[label] = true;
  is_there[vision::LabelMap::kIgnored] = false;
  std::vector<int64_t> classes;
  for (int64_t label = 0; label < std::ssize(is_there); ++label) {
    if (is_there[label]) classes.push_back(label);
  }
  return classes;
}

}  // namespace freeatm::data
