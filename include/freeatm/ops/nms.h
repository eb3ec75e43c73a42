// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ATen/core/Tensor.h>

namespace freeatm::ops {

/// Greedy non-maximum suppression: of all boxes, best first, those stay whose IoU with each better one that stays is at
/// the most the threshold. Equals torchvision.ops.nms; equal scores stand in the order given, NaN scores come first,
/// and a box with NaN suppresses nothing.
///   boxes: [N, 4] (x1, y1, x2, y2); scores: [N]; fp32 or fp64, other types are taken for fp32
/// Returns [kept] int64 indices by falling score, on the boxes' device.
at::Tensor nms(const at::Tensor& boxes, const at::Tensor& scores, double iou_threshold);

/// The same within each class: exactly so, where torchvision's batched_nms moves the classes apart by an offset, whose
/// rounding can change an IoU near the threshold.
///   classes: [N], integers of any value
at::Tensor batched_nms(const at::Tensor& boxes, const at::Tensor& scores, const at::Tensor& classes,
                       double iou_threshold);

/// batched_nms by LibTorch's operators, from the matrix of all IoUs.
at::Tensor batched_nms_reference(const at::Tensor& boxes, const at::Tensor& scores, const at::Tensor& classes,
                                 double iou_threshold);

}  // namespace freeatm::ops
