// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/detection/anchors.h"

#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::models {
namespace {

/// [ratios, 4] around 0.
at::Tensor cell_anchors(double size, const std::vector<double>& ratios) {
  std::vector<float> sides;
  for (const double ratio : ratios) {
    const float height_ratio = std::sqrt(static_cast<float>(ratio));
    const float height = height_ratio * static_cast<float>(size),
                width = 1.0f / height_ratio * static_cast<float>(size);
    for (const float side : {-width, -height, width, height}) sides.push_back(side / 2);
  }
  return at::tensor(sides).round().view({-1, 4});  // half to even, as Python's
}

/// [h * w * ratios, 4]
at::Tensor grid_anchors(const at::Tensor& cell, int64_t height, int64_t width, int64_t stride_y, int64_t stride_x) {
  const auto shifts = [&](int64_t count, int64_t stride) { return at::arange(count, cell.options()) * stride; };
  const auto grid = at::meshgrid({shifts(height, stride_y), shifts(width, stride_x)}, "ij");
  const at::Tensor y = grid[0].reshape(-1), x = grid[1].reshape(-1);
  return (at::stack({x, y, x, y}, 1).unsqueeze(1) + cell.unsqueeze(0)).reshape({-1, 4});
}

}  // namespace

void AnchorOptions::fields(config::Fields& f) {
  f("sizes", sizes, "pixels, the side of the anchors of each level of the pyramid; []: eight times its stride",
    config::between(1, 4096));
  f("ratios", ratios, "height / width of a level's anchors", config::between(0.05, 20));
}

const Anchors::OfLevels& Anchors::of(const std::vector<FeatureLevel>& levels, int64_t height, int64_t width) {
  FREEATM_CHECK(levels.size() == options_.sizes.size(), "{} sizes for {} levels", options_.sizes.size(), levels.size());
  std::vector<int64_t> key{height, width};
  for (const FeatureLevel& level : levels) key.insert(key.end(), {level.tensor.size(2), level.tensor.size(3)});
  if (key == key_ && made_.boxes.device() == levels.front().tensor.device()) return made_;
  made_.counts.clear();
  std::vector<at::Tensor> boxes;
  for (size_t i = 0; i < levels.size(); ++i) {
    const int64_t rows = levels[i].tensor.size(2), columns = levels[i].tensor.size(3);
    // torchvision's strides, from the sizes: of an odd grid halved once more they are less than the level's own.
    boxes.push_back(
        grid_anchors(cell_anchors(options_.sizes[i], options_.ratios), rows, columns, height / rows, width / columns));
    made_.counts.push_back(boxes.back().size(0));
  }
  made_.boxes = at::cat(boxes).to(levels.front().tensor.device());
  key_ = std::move(key);
  return made_;
}

}  // namespace freeatm::models
