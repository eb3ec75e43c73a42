// SPDX-License-Identifier: Apache-2.0
// What is trained: from a sample to what the model is fed, from a batch to what is minimised.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/core/random.h"
#include "freeatm/data/batch.h"

namespace freeatm::training {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// A mean over one batch, of the number of things that the batch has where that number varies: regions, labelled
/// pixels. Both are scalars on the model's device.
struct Scalar {
  std::string name;
  at::Tensor value;
  at::Tensor count = {};  // undefined: each batch of the run counts alike
};

/// The scalars of one step, in order and on the model's device: nothing here waits for it.
struct Losses {
  std::vector<Scalar> terms;     // their sum is minimised; of a count of 0 the value is 0
  std::vector<Scalar> observed;  // only logged: "embedding_std"; NaN: this step has nothing to say about it

  /// fp32 also where the terms came out of bf16.
  at::Tensor total() const;
};

/// Sums of the scalars of several batches: what is added over batches, and over ranks, before anything is divided.
struct LossSums {
  std::vector<std::string> terms, observed;  // names, in the order in which they came
  at::Tensor values;                         // [2, names] fp64: sum of weight * value, and of the weights
  std::vector<bool> counted;                 // whether the weights are counts; else a batch that has the value weighs 1
};

/// The same terms in all of them.
LossSums sums_of(const std::vector<Losses>& batches);

/// The mean of each scalar by its weights: of an observed one over the batches that have it, and where it is not NaN.
Losses means_of(const LossSums& sums);

/// How many things the terms with a count average over, by their names.
using Counts = std::map<std::string, int64_t>;

/// All batches of a step, those of all ranks.
struct StepTotals {
  Counts counts;
  int64_t batches = 1;
};

/// What one batch adds to the loss of a step of several: the terms' values, each by the batch's part of the step's
/// count, or by 1 / batches where it has none. The sum over the batches is the loss of one batch that holds them all.
at::Tensor share_of_step(const Losses& losses, const Counts& own, const StepTotals& step);

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

  /// The counts of the terms that have one, from the batch alone, as the loader made it: they are wanted before the
  /// first batch of a step goes backward.
  virtual Counts counts(const data::Batch& /*batch*/) const { return {}; }

  /// Everything that takes a gradient, in two groups: biases and norms (one dimension) are not decayed.
  virtual std::vector<ParameterGroup> parameter_groups();

  /// After each optimiser step; `progress` is that of the next one: momentum encoders, schedules.
  virtual void after_step(double /*progress*/) {}
};

}  // namespace freeatm::training
