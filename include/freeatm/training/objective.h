// SPDX-License-Identifier: Apache-2.0
// What is trained: from a sample to what the model is fed, from a batch to what is minimised.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/core/random.h"
#include "freeatm/data/batch.h"

namespace freeatm::training {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// The scalars of one step, in order and on the model's device: nothing here waits for it.
struct Losses {
  NamedTensors terms;     // their sum is minimised
  NamedTensors observed;  // only logged: "embedding_std"; NaN: this step has nothing to say about it

  /// fp32 also where the terms came out of bf16.
  at::Tensor total() const;
};

/// The mean of each scalar over a step's batches; of an observed one over those that have it, and where it is not NaN.
Losses mean_of(const std::vector<Losses>& batches);

/// Parameters that share their settings; the scales multiply the run's learning rate and weight decay.
struct ParameterGroup {
  NamedTensors parameters;
  double learning_rate_scale = 1;
  double weight_decay_scale = 1;
};

/// A pretraining or finetuning method. Its trained encoder is registered as "backbone": that is what evaluation and
/// export read.
class Objective : public torch::nn::Module {
 public:
  /// A sample as this objective wants it. Runs in loader threads, so it reads nothing that training changes; `progress`
  /// in [0, 1) is that of the step that will consume the view.
  virtual data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const = 0;

  /// Views as one batch, for an objective that pads or resizes; runs in loader threads, too.
  virtual data::Batch collate(std::vector<data::View>&& views, const std::vector<std::string>& keys) const {
    return data::collate(std::move(views), keys);
  }

  virtual Losses losses(const data::Batch& batch) = 0;

  /// Everything that takes a gradient, in two groups: biases and norms (one dimension) are not decayed.
  virtual std::vector<ParameterGroup> parameter_groups();

  /// After each optimiser step; `progress` is that of the next one: momentum encoders, schedules.
  virtual void after_step(double /*progress*/) {}
};

}  // namespace freeatm::training
