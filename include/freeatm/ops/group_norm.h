// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::ops {

/// The norm (Wu & He 2018), as LibTorch's operator has it.
///
/// On the CPU, in fp32 or bf16 and where no gradient is wanted, these two are kernels: sums in fp64, the rest in fp32,
/// the same bits for any number of threads. Everything else takes the reference.
///   x: [B, channels, h, w], contiguous or channels last, as is the result
///   groups: divides the channels; weight, bias: [channels], of x's type or fp32; both or neither
at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                      double eps);

/// silu(group_norm(x)), where silu(y) = y * sigmoid(y). The kernel rounds to bf16 once, at the end.
at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                           double eps);

/// The same by LibTorch's operators, one by one: any type, layout and device.
at::Tensor group_norm_silu_reference(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                                     const at::Tensor& bias, double eps);

}  // namespace freeatm::ops
