// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "freeatm/vision/mask_set.h"

namespace freeatm::objectives {

/// The share that each mask has of each of side x side cells, [masks, side, side] fp32.
at::Tensor cell_shares(const vision::MaskSet& masks, int64_t side);

}  // namespace freeatm::objectives
