// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/paste_masks.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::ops {
namespace {

/// A side of the box in the picture: the pixels that it covers there, and between which cells of the mask each lies.
struct Side {
  struct Cell {
    int64_t low;
    float high_share;  // of cell low + 1
  };
  int64_t begin = 0;
  std::vector<Cell> cells;  // of pixels begin, begin + 1, ...
};

/// The side from first to last pixel, both inside, of `mask` cells and one of padding at either end. Rounding is
/// torchvision's: fp32, towards zero.
Side side_of(double low, double high, int64_t mask, int64_t picture) {
  constexpr float kFar = 1e9f;  // so that integers hold it; no picture is as large
  const auto padded = static_cast<float>(mask + 2);
  const float middle = (static_cast<float>(high) + static_cast<float>(low)) * 0.5f;
  const float half = (static_cast<float>(high) - static_cast<float>(low)) * 0.5f *
                     static_cast<float>(static_cast<double>(mask + 2) / static_cast<double>(mask));
  const auto first = static_cast<int64_t>(std::clamp(middle - half, -kFar, kFar)),
             last = static_cast<int64_t>(std::clamp(middle + half, -kFar, kFar));
  const float scale = padded / static_cast<float>(std::max<int64_t>(last - first + 1, 1));
  Side side{std::max<int64_t>(first, 0)};
  for (int64_t i = side.begin; i < std::min(last + 1, picture); ++i) {
    const float place = std::max((static_cast<float>(i - first) + 0.5f) * scale - 0.5f, 0.0f);
    const auto cell = std::min(static_cast<int64_t>(place), mask + 1);
    side.cells.push_back({cell, cell < mask + 1 ? place - static_cast<float>(cell) : 0});
  }
  return side;
}

}  // namespace

at::Tensor paste_mask(const at::Tensor& mask, const std::array<double, 4>& box, int64_t height, int64_t width,
                      double threshold) {
  FREEATM_CHECK(mask.dim() == 2 && mask.size(0) == mask.size(1) && mask.size(0) > 0, "a mask is {}, want [M, M]",
                mask.sizes());
  at::Tensor picture = at::zeros({height, width}, at::kByte);
  if (!std::all_of(box.begin(), box.end(), [](double x) { return std::isfinite(static_cast<float>(x)); }))
    return picture;
  const Side rows = side_of(box[1], box[3], mask.size(0), height),
             columns = side_of(box[0], box[2], mask.size(0), width);
  // One more row and column beyond the padding: a cell of share 0.
  const at::Tensor padded = at::constant_pad_nd(mask.detach().to(at::kCPU, at::kFloat), {1, 2, 1, 2});
  const int64_t pitch = padded.size(1);
  auto* out = picture.mutable_data_ptr<uint8_t>() + rows.begin * width + columns.begin;
  std::vector<float> row(static_cast<size_t>(pitch));
  for (const auto& [y, share] : rows.cells) {
    const float* upper = padded.const_data_ptr<float>() + y * pitch;
    for (int64_t x = 0; x < pitch; ++x) row[x] = (1 - share) * upper[x] + share * upper[pitch + x];
    for (size_t i = 0; i < columns.cells.size(); ++i) {
      const auto& [x, right] = columns.cells[i];
      out[i] = static_cast<double>((1 - right) * row[x] + right * row[x + 1]) > threshold;
    }
    out += width;
  }
  return picture;
}

}  // namespace freeatm::ops
