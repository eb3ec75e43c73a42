// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::ops {

struct RoiAlign {
  int64_t height = 7, width = 7;  // bins a region
  double spatial_scale = 1;       // from a region's pixels to the features'
  int64_t sampling_ratio = 0;     // points a bin and direction; 0: adaptive, ceil(a bin's size)
  bool aligned = false;           // true: pixels' centres are at .5; false: legacy, regions are never under 1 x 1
};

/// The mean of each bin's sampling points, bilinearly interpolated (He et al. 2017). Points further than one pixel
/// outside count as 0. Equals torchvision.ops.roi_align; differentiable (once) in features.
///
/// A region that is not finite gives NaN and takes no gradient. Half precision is computed in fp32 and comes back in
/// the features' type.
///   features: [B, C, H, W], contiguous or channels last
///   rois: [K, 5] (batch index, x1, y1, x2, y2)
/// Returns [K, C, height, width], laid out as the features.
at::Tensor roi_align(const RoiAlign& options, const at::Tensor& features, const at::Tensor& rois);

/// The same by LibTorch's operators: two products with matrices of interpolation weights. Any device, fp32 and fp64.
at::Tensor roi_align_reference(const RoiAlign& options, const at::Tensor& features, const at::Tensor& rois);

}  // namespace freeatm::ops
