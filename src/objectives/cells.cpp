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

}  // namespace freeatm::objectives
