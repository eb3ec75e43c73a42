// SPDX-License-Identifier: Apache-2.0
// roi_align's loops: fp32 and fp64 on the CPU.
#pragma once
#include <ATen/core/Tensor.h>

#include "freeatm/ops/roi_align.h"

namespace freeatm::ops::cpu {

/// features: [B, C, H, W], dense in either layout; rois: [K, 5], of their type, contiguous, their images all there.
at::Tensor roi_align(const RoiAlign& options, const at::Tensor& features, const at::Tensor& rois);

/// The gradient of features of these sizes, channels last, from that of the result. Sums are in the regions' order for
/// any number of threads.
at::Tensor roi_align_backward(const RoiAlign& options, const at::Tensor& gradient, const at::Tensor& rois,
                              at::IntArrayRef sizes);

}  // namespace freeatm::ops::cpu
