// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/vision/box.h"

namespace freeatm::vision {

/// A binary mask as COCO's run lengths: column by column, zeros first. `counts` text equals pycocotools' byte for byte.
struct Rle {
  int height = 0, width = 0;
  std::vector<uint32_t> runs;

  static Rle encode(const uint8_t* mask, int height, int width);  // [height, width], row by row, 0 or not
  /// COCO's compressed `counts`. Throws UserError(name, "segmentation", ...) when the runs do not fill height x width.
  static Rle from_counts(std::string_view counts, int height, int width, const std::string& name);
  std::string counts() const;
  std::vector<uint8_t> decode() const;  // [height, width], 0 or 1
  int64_t area() const;
  Box box() const;  // the tight box of the ones; empty when there are none
};

}  // namespace freeatm::vision
