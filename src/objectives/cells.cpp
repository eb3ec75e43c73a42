// SPDX-License-Identifier: Apache-2.0
#include "cells.h"

#include <ATen/ATen.h>

namespace freeatm::objectives {

at::Tensor cell_shares(const vision::MaskSet& masks, int64_t side) {
  if (masks.count() == 0) return at::zeros({0, side, side});
  const at::Tensor bytes =
      at::from_blob(const_cast<uint8_t*>(masks[0]), {masks.count(), masks.height(), masks.width()}, at::kByte);
  return at::adaptive_avg_pool2d(bytes.to(at::kFloat), {side, side});
}

int64_t grid_side_of(models::Backbone& backbone, int64_t side) {
  const at::NoGradGuard no_grad;
  backbone.eval();
  const int64_t cells = backbone.forward_features(at::zeros({1, 3, side, side})).size(2);
  backbone.train();
  return cells;
}

at::Tensor pool_regions(const at::Tensor& grid, const at::Tensor& weights, const at::Tensor& pictures) {
  const at::Tensor own = grid.index_select(0, pictures).flatten(2);     // [R, C, h w]
  const at::Tensor share = weights.to(grid.scalar_type()).flatten(1);   // [R, h w]
  const at::Tensor sums = at::bmm(own, share.unsqueeze(2)).squeeze(2);  // [R, C]
  return sums / share.sum(1, /*keepdim=*/true).clamp_min(1e-6);
}

}  // namespace freeatm::objectives
