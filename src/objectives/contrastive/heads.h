// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <utility>

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/container/sequential.h>

#include "freeatm/models/unit.h"

namespace freeatm::objectives {

using models::unit;

/// linear -> BatchNorm -> ReLU, layers - 1 times, -> linear. No biases: each layer is followed by a norm, or (a
/// predictor's last) by the unit sphere.
torch::nn::Sequential mlp(int64_t in, int64_t hidden, int64_t out, int64_t layers);

/// Such a head with a last BatchNorm without weights, as MoCo v3 has it.
torch::nn::Sequential projection_head(int64_t in, int64_t hidden, int64_t out, int64_t layers);

/// Both views' features through a projector and a predictor, of length 1: what is compared with `targets_of`.
std::pair<at::Tensor, at::Tensor> predictions_of(const std::pair<at::Tensor, at::Tensor>& features,
                                                 torch::nn::Sequential& projector, torch::nn::Sequential& predictor);

/// Both views' features of the momentum side through its projector, of length 1, without gradients.
std::pair<at::Tensor, at::Tensor> targets_of(const std::pair<at::Tensor, at::Tensor>& features,
                                             torch::nn::Sequential& projector);

}  // namespace freeatm::objectives
