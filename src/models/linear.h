// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ATen/ops/linear.h>
#include <torch/nn/modules/linear.h>

namespace freeatm::models {

/// x W^T + b in one pass over the result. The module's own forward takes two where x has more than two dimensions.
inline at::Tensor fused_linear(const torch::nn::LinearImpl& layer, const at::Tensor& x) {
  return at::linear(x, layer.weight, layer.bias);
}

}  // namespace freeatm::models
