// SPDX-License-Identifier: Apache-2.0
// How far two tensors are apart.
#pragma once
#include <ATen/ATen.h>

namespace freeatm::testing {

inline double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

/// The largest difference, as a fraction of the largest value of `b`.
inline double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max().clamp_min(1e-12)).item<double>();
}

}  // namespace freeatm::testing
