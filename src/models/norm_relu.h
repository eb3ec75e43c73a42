// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ATen/core/Tensor.h>
#include <torch/nn/modules/batchnorm.h>

namespace freeatm::models {

/// relu(norm(x) + residual), running statistics included; x is used up: without gradients its memory becomes the
/// result's.
///
/// On the CPU, fp32 with the channels last, the sum, the norm and the ReLU read and write their memory together: a step
/// of a small ResNet waits for memory there, not for arithmetic. Everything else takes LibTorch's own operators.
///   x, residual: [B, channels, h, w]; residual may be undefined
at::Tensor norm_relu(torch::nn::BatchNorm2dImpl& norm, at::Tensor x, const at::Tensor& residual = {});

}  // namespace freeatm::models
