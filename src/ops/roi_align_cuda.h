// SPDX-License-Identifier: Apache-2.0
// The interface between roi_align.cpp, which nvcc does not see, and roi_align.cu, which does not see torch.
#pragma once
#include <cstdint>

namespace freeatm::ops::cuda {

/// Device pointers; strides are counted in elements.
struct RoiAlign {
  const float* from = nullptr;  // features, or the gradient of the result
  const float* rois = nullptr;  // [regions, 5], dense
  float* to = nullptr;          // the result, or the gradient of features; every element is written
  int64_t images = 0, channels = 0, height = 0, width = 0, regions = 0, bins_high = 0, bins_wide = 0;
  int64_t feature_strides[4] = {}, result_strides[4] = {};
  float spatial_scale = 1;
  int64_t sampling_ratio = 0;
  bool aligned = false, channels_last = false;  // the latter: of `to`
};

/// Both queue a kernel on the stream; false where it cannot start.
///   stream: a cudaStream_t
bool roi_align(const RoiAlign& arguments, int device, void* stream);
bool roi_align_backward(const RoiAlign& arguments, int device, void* stream);

}  // namespace freeatm::ops::cuda
