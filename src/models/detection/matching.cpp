// SPDX-License-Identifier: Apache-2.0
#include "matching.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace freeatm::models {
namespace {

/// The `count` of these places that have the least keys, rising.
at::Tensor least(const at::Tensor& places, const at::Tensor& keys, int64_t count) {
  if (count == places.size(0)) return places;
  const at::Tensor chosen = std::get<1>(keys.index_select(0, places).topk(count, 0, /*largest=*/false));
  return std::get<0>(places.index_select(0, chosen).sort());
}

}  // namespace

at::Tensor match_boxes(const at::Tensor& iou, const MatchThresholds& thresholds) {
  const auto integers = iou.options().dtype(at::kLong);
  if (iou.size(0) == 0) return at::full({iou.size(1)}, kBackground, integers);
  const auto [most, whose] = iou.max(0);
  at::Tensor matches = at::where(most < thresholds.foreground, at::full({}, kBetween, integers), whose);
  matches = at::where(most < thresholds.background, at::full({}, kBackground, integers), matches);
  if (!thresholds.takes_best) return matches;
  const at::Tensor best = std::get<0>(iou.max(1, /*keepdim=*/true));  // [objects, 1]
  return at::where((iou == best).any(0), whose, matches);
}

SampledBoxes sample_boxes(const at::Tensor& labels, int64_t size, double positive_fraction, const at::Tensor& keys) {
  const at::Tensor positive = at::nonzero(labels > 0).view(-1), negative = at::nonzero(labels == 0).view(-1);
  const auto most = static_cast<int64_t>(static_cast<double>(size) * positive_fraction);
  const int64_t positives = std::min(positive.size(0), most);
  const int64_t negatives = std::min(negative.size(0), size - positives);
  return {least(positive, keys, positives), least(negative, keys, negatives)};
}

at::Tensor box_loss(const at::Tensor& deltas, const at::Tensor& targets) {
  constexpr double kBeta = 1.0 / 9;
  return at::smooth_l1_loss(deltas, targets, at::Reduction::Sum, kBeta);
}

at::Tensor large_enough(const at::Tensor& boxes, double side) {
  const at::Tensor sides = boxes.slice(1, 2, 4) - boxes.slice(1, 0, 2);  // [N, 2]
  return (sides >= side).all(1);
}

}  // namespace freeatm::models
