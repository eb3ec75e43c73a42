// SPDX-License-Identifier: Apache-2.0
// nms's loops: fp32 and fp64 on the CPU.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <ATen/core/Tensor.h>

namespace freeatm::ops::cpu {

/// The largest T that is not above: a T exceeds it exactly where it exceeds `threshold`.
template <typename T>
T rounded_down(double threshold) {
  const auto rounded = static_cast<T>(threshold);
  return static_cast<double>(rounded) > threshold ? std::nextafter(rounded, -std::numeric_limits<T>::infinity())
                                                  : rounded;
}

/// Which boxes stay, in the order given.
///   boxes: [N, 4], contiguous; order: [N], best first; classes: [N], of the boxes, or none: all are of one
std::vector<int64_t> nms(const at::Tensor& boxes, const at::Tensor& order, const int64_t* classes,
                         double iou_threshold);

}  // namespace freeatm::ops::cpu
