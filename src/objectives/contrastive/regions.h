// SPDX-License-Identifier: Apache-2.0
// Regions of a view: which share of each cell of the backbone's grid they have, and what they are compared with.
#pragma once
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/data/sample.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::objectives {

/// One view's regions: its things, each with its number among the picture's, and what is left as the background, number
/// -1.
struct Regions {
  at::Tensor weights;  // [R, h, w], fp32, the share of each cell
  at::Tensor numbers;  // [R] int64
  at::Tensor texts;    // [R] int64: equal ones name the same; 0 names nothing
};

/// Things that have less than `min_cells` of the grid in this view are left out, and so is such a background. A
/// background's text is that of the stuff that the caption names ("grass").
///   masks: of the view, [regions, size, size]
Regions view_regions(const std::vector<data::Region>& regions, const vision::MaskSet& masks, int64_t grid,
                     double min_cells);

/// InfoNCE over regions (Henaff et al. 2021, with one positive a region): region i of `query` must find the same region
/// of the same picture among all of `key`. Left out are keys with the same text in other pictures, and queries whose
/// region is not in the other view.
///   query, key: [R, D], [R', D] of length 1; pictures, numbers, texts: of each, [R] and [R']
struct RegionNames {
  at::Tensor pictures, numbers, texts;
};
struct RegionLoss {
  at::Tensor mean;   // over the queries that are not left out; 0 where all are
  at::Tensor count;  // of them
};
RegionLoss region_contrast(const at::Tensor& query, const RegionNames& query_names, const at::Tensor& key,
                           const RegionNames& key_names, double temperature);

/// How many regions both views have, which is the count of either direction.
int64_t common_regions(const RegionNames& first, const RegionNames& second);

}  // namespace freeatm::objectives
