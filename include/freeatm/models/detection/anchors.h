// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"

namespace freeatm::models {

struct AnchorOptions {
  std::vector<double> sizes;                     // pixels: the side of each level's square anchor; none: 8 strides
  std::vector<double> ratios = {0.5, 1.0, 2.0};  // height / width
  void fields(config::Fields& f);
};

/// The boxes that region proposals are told as differences from (Ren et al. 2015), as torchvision's `AnchorGenerator`
/// places them: around the upper left corner of each cell, their sides rounded to whole pixels.
class Anchors {
 public:
  explicit Anchors(AnchorOptions options) : options_(std::move(options)) {}

  int64_t per_cell() const { return std::ssize(options_.ratios); }

  struct OfLevels {
    at::Tensor boxes;  // [A, 4], x1, y1, x2, y2: level by level, row by row, a cell's in the order of `ratios`
    std::vector<int64_t> counts;  // of each level; their sum is A
  };
  /// Made once for each size of pictures that follow each other.
  ///   levels: as many as there are sizes; height, width: of the padded pictures
  const OfLevels& of(const std::vector<FeatureLevel>& levels, int64_t height, int64_t width);

 private:
  AnchorOptions options_;
  std::vector<int64_t> key_;  // what `made_` is for
  OfLevels made_;
};

}  // namespace freeatm::models
