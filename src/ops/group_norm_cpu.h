// SPDX-License-Identifier: Apache-2.0
// group_norm's loops: fp32 or bf16 [B, channels, h, w] on the CPU, dense, either layout.
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::ops::cpu {

/// weight, bias: [channels], of x's type or fp32
bool fits_group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias);

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, and y * sigmoid(y) of it where `activates`. Of x's layout.
at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      bool activates);

}  // namespace freeatm::ops::cpu
