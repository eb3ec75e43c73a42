// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/tile.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace freeatm::data {

vision::Image tile(const at::Tensor& pixels, int64_t columns) {
  const int64_t count = pixels.size(0), side = pixels.size(1), rows = (count + columns - 1) / columns;
  at::Tensor grid = at::full({rows * columns, side, side, 3}, 255, at::kByte);
  grid.narrow(0, 0, count).copy_(pixels);
  grid = grid.view({rows, columns, side, side, 3}).transpose(1, 2).reshape({rows * side, columns * side, 3});
  if (side <= kSmallSide) grid = grid.repeat_interleave(2, 0).repeat_interleave(2, 1);
  grid = grid.contiguous();
  vision::Image image(static_cast<int>(grid.size(0)), static_cast<int>(grid.size(1)));
  std::copy_n(grid.data_ptr<uint8_t>(), grid.numel(), image.pixels.begin());
  return image;
}

}  // namespace freeatm::data
