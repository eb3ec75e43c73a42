// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/container/sequential.h>

namespace freeatm::objectives {

/// linear -> BatchNorm -> ReLU, layers - 1 times, -> linear. No biases: each layer is followed by a norm, or (a
/// predictor's last) by the unit sphere.
torch::nn::Sequential mlp(int64_t in, int64_t hidden, int64_t out, int64_t layers);

/// Such a head with a last BatchNorm without weights, as MoCo v3 has it.
torch::nn::Sequential projection_head(int64_t in, int64_t hidden, int64_t out, int64_t layers);

/// Each row divided by its length.
at::Tensor unit(const at::Tensor& rows);

}  // namespace freeatm::objectives
