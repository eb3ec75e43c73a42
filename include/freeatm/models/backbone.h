// SPDX-License-Identifier: Apache-2.0
// What pretraining trains and evaluation judges: a picture's features, on a grid or pooled.
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

namespace freeatm::models {

class Backbone : public torch::nn::Module {
 public:
  /// images: [B, 3, H, W], normalised. Returns the last grid, [B, channels, h, w].
  virtual at::Tensor forward_features(const at::Tensor& images) = 0;
  /// The features that heads and probes take, [B, channels].
  virtual at::Tensor forward(const at::Tensor& images) = 0;
  virtual int64_t channels() const = 0;
};

/// 8-bit pixels [B, H, W, 3] -> [B, 3, H, W] of this type with ImageNet's mean and deviation; channels lie last in
/// memory, as convolutions like it. Pictures travel as bytes until here: a quarter of the copies between threads and to
/// a GPU.
at::Tensor normalized(const at::Tensor& pixels, at::ScalarType dtype = at::kFloat);

}  // namespace freeatm::models
