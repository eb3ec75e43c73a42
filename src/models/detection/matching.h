// SPDX-License-Identifier: Apache-2.0
// Which boxes learn what: the part that proposals and heads share.
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::models {

struct MatchThresholds {
  double foreground = 0.5;  // IoU from which a box is its object's
  double background = 0.5;  // below which it is nobody's; between the two it is not looked at
  /// Each object gets the boxes that overlap it most, however little that is.
  bool takes_best = false;
};

inline constexpr int64_t kBackground = -1, kBetween = -2;

/// Whose each box is, [N]: an object's index, kBackground or kBetween; kBackground for all where there is no object.
///   iou: [objects, N]
at::Tensor match_boxes(const at::Tensor& iou, const MatchThresholds& thresholds);

/// Places of a picture's boxes, rising, int64.
struct SampledBoxes {
  at::Tensor positive, negative;
};

/// At most `size` boxes, of which at most positive_fraction are positive and the others negative (Girshick 2015).
///   labels: [N]: > 0 positive, 0 negative, < 0 neither; keys: [N], random: the least are taken
SampledBoxes sample_boxes(const at::Tensor& labels, int64_t size, double positive_fraction, const at::Tensor& keys);

/// sum of smooth_l1(x - y) with beta 1/9, which torchvision's losses of boxes have.
at::Tensor box_loss(const at::Tensor& deltas, const at::Tensor& targets);

/// Which boxes have both sides of at least so many pixels, [N] bool.
at::Tensor large_enough(const at::Tensor& boxes, double side);

}  // namespace freeatm::models
