// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <utility>
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

/// Tensors that follow others: a momentum encoder, a UNet that is sampled from, the weights that are evaluated. They
/// share memory with what they are made of.
class Averages {
 public:
  Averages() = default;
  /// The same names on both sides.
  Averages(const weights::TensorMap& trained, const weights::TensorMap& averages);

  /// `average`, a module of the same kind that may lack some parts, becomes a copy of `trained` that takes no gradient.
  /// What has one in `trained` is followed from now on.
  void follow(const torch::nn::Module& trained, torch::nn::Module& average);

  /// average = keep * average + (1 - keep) * trained
  void update(double keep);

  const std::vector<at::Tensor>& trained() const { return trained_; }
  const std::vector<at::Tensor>& averages() const { return averages_; }

 private:
  std::vector<at::Tensor> trained_, averages_;  // in the same order
};

/// Updates averages after each step, by `ema_decay`; put it before hooks that look at them.
class EmaHook final : public Hook {
 public:
  EmaHook(Averages averages, double decay) : averages_(std::move(averages)), decay_(decay) {}
  void after_step(const StepReport& report) override;

 private:
  Averages averages_;
  double decay_;
};

}  // namespace freeatm::training
