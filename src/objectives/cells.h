// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "freeatm/models/backbone.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::objectives {

/// The share that each mask has of each of side x side cells, [masks, side, side] fp32.
at::Tensor cell_shares(const vision::MaskSet& masks, int64_t side);

/// Cells to a side of the backbone's last grid for pictures of this side.
int64_t grid_side_of(models::Backbone& backbone, int64_t side);

/// Features of a grid, averaged by each region's weights: [B, C, h, w], [R, h, w], each region's picture [R] -> [R, C].
at::Tensor pool_regions(const at::Tensor& grid, const at::Tensor& weights, const at::Tensor& pictures);

}  // namespace freeatm::objectives
