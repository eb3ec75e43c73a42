// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "freeatm/data/detection.h"

namespace freeatm::data {

/// What an annotation file holds that trains nothing, is changed, or is left out, by reason.
struct ObjectCounts {
  std::array<int64_t, 5> untrained{};  // by Untrained
  int64_t clipped = 0;                 // boxes cut to their picture
  int64_t polygons = 0;                // of fewer than three points
  int64_t without_polygon = 0;         // objects of such polygons alone
  int64_t pictures = 0;                // that are named and not on disk

  void add(Untrained reason) { ++untrained[static_cast<size_t>(reason)]; }
  /// One line, where there is something to say: a warning, but of crowds and difficult objects alone.
  void tell(const std::string& file) const;
};

}  // namespace freeatm::data
