// SPDX-License-Identifier: Apache-2.0
// Boxes of detectors: x1, y1, x2, y2 in pixels, area (x2 - x1) * (y2 - y1).
#pragma once
#include <array>
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::ops {

/// Intersection over union, without gradients. Two boxes without area have 0 (torchvision: NaN, which its matcher takes
/// for a match). Half precision is computed, and comes back, in fp32.
///   a: [N, 4]; b: [M, 4]
/// Returns [N, M].
at::Tensor box_iou(const at::Tensor& a, const at::Tensor& b);

/// What a detector regresses: the centre's way in units of the proposal's size, and the logarithm of the sizes' ratio
/// (Girshick et al. 2014, appendix C), each times its weight. Equals torchvision's BoxCoder, differentiable.
struct BoxCoder {
  std::array<double, 4> weights{1, 1, 1, 1};  // of dx, dy, dw, dh

  /// The deltas that lead from proposals to references.
  ///   references, proposals: [N, 4]
  /// Returns [N, 4] (dx, dy, dw, dh).
  at::Tensor encode(const at::Tensor& references, const at::Tensor& proposals) const;

  /// The boxes that deltas lead to. dw and dh are at the most log(1000 / 16), so that exp stays small.
  ///   deltas: [N, 4 * K], of K classes; proposals: [N, 4]
  /// Returns [N, K, 4].
  at::Tensor decode(const at::Tensor& deltas, const at::Tensor& proposals) const;
};

/// Boxes cut off at the picture's borders: x in [0, width], y in [0, height].
///   boxes: [..., 4]
at::Tensor clip_boxes(const at::Tensor& boxes, int64_t height, int64_t width);

}  // namespace freeatm::ops
