// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>

#include <ATen/core/Tensor.h>

namespace freeatm::ops {

using Gather = std::function<at::Tensor(const at::Tensor&)>;

/// What a batch norm is given beside its input. All tensors are [channels]; weight and bias are both there or neither.
struct NormState {
  at::Tensor weight, bias;
  at::Tensor running_mean, running_var;
  bool uses_batch = true;  // the batch's own statistics, which the running ones follow; false: the running ones
  double momentum = 0.1;   // of the running ones: the new batch's share
  double eps = 1e-5;
  /// Where batches of several ranks are one: [k] of this rank -> [ranks, k]. Called once forward and once backward, at
  /// the same place by all ranks.
  Gather gather = {};
};

/// The norm alone (Ioffe & Szegedy 2015): LibTorch's operator, or over several ranks our own, any type and device. x:
/// [B, channels, ...]. One value a channel has no statistics: InternalError.
at::Tensor batch_norm(const NormState& norm, const at::Tensor& x);

/// relu(norm(x) + residual), running statistics included; x is used up: without gradients its memory becomes the
/// result's.
///
/// On the CPU, fp32 with the channels last, the sum, the norm and the ReLU read and write their memory together: a step
/// of a small ResNet waits for memory there, not for arithmetic. Everything else takes the reference.
///   x, residual: [B, channels, h, w]; residual may be undefined
at::Tensor norm_relu(const NormState& norm, at::Tensor x, const at::Tensor& residual = {});

/// The same by LibTorch's operators, one by one: any type, layout and device.
at::Tensor norm_relu_reference(const NormState& norm, const at::Tensor& x, const at::Tensor& residual = {});

}  // namespace freeatm::ops
