// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

#include "freeatm/vision/box.h"
#include "freeatm/vision/rle.h"

namespace freeatm::evaluation {

/// What a detector says of one object of a picture.
struct Detection {
  int64_t category = 0;             // as data::Object has it
  vision::Box box;                  // pixels of the picture as its annotations see it
  std::optional<vision::Rle> mask;  // of the picture's size
  double score = 0;
  std::optional<double>
      area;  // pixels, for small, medium and large; none: the mask's, where masks are judged, or the box's
};

}  // namespace freeatm::evaluation
