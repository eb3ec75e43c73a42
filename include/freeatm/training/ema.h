// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/training/hook.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::training {

/// How much of itself an average keeps at its step-th update: min(decay, (1 + step) / (10 + step)), so that the first
/// weights are soon forgotten.
double ema_decay(double decay, int64_t step);

/// What is worth averaging: the weights and running statistics of each of the module's children that has trained
/// weights. A momentum encoder, which has none, is an average already.
weights::TensorMap averaged_state(const torch::nn::Module& module);
/// The same by name and value, in memory of its own.
weights::TensorMap copy_of(const weights::TensorMap& tensors);

/// Exponential moving averages of weights, after each step; put it before hooks that look at them.
///   trained, averages: the same shapes in the same order
class EmaHook final : public Hook {
 public:
  EmaHook(std::vector<at::Tensor> trained, std::vector<at::Tensor> averages, double decay);
  EmaHook(const weights::TensorMap& trained, const weights::TensorMap& averages, double decay);
  void after_step(const StepReport& report) override;

 private:
  std::vector<at::Tensor> trained_, averages_;
  double decay_;
};

}  // namespace freeatm::training
