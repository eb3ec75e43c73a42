// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

namespace freeatm::models {

/// What a model is loaded for.
///   kDraw: inference alone, by one thread. Weights stay in their mapped files where type and device fit; those of
///   convolutions get the layout that the processor computes from when they are first used: they cannot be read then
///   kTrain: weights are memory of the model's own
enum class Use { kDraw, kTrain };

/// Brings a model whose weights a file gave (weights::adopt) to its device and type.
void place(torch::nn::Module& model, at::Device device, at::ScalarType dtype, Use use);

}  // namespace freeatm::models
