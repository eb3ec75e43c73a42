// SPDX-License-Identifier: Apache-2.0
// Linear classifiers on frozen features: many at once by gradient descent, or one to its optimum.
#pragma once
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/evaluation/features.h"

namespace freeatm::evaluation {

struct LinearHead {
  at::Tensor weight, bias;  // [classes, channels], [classes]
  /// [N, channels] -> [N, classes]
  at::Tensor logits(const at::Tensor& features) const;
};

/// A head that takes features as they are, from one that was trained on (features - mean) / deviation.
LinearHead for_raw_features(const LinearHead& head, const ChannelStatistics& statistics);

/// Heads side by side in one matrix, all from zero, each with a learning rate of its own: SGD with momentum, whose
/// rates fall to zero by a cosine. No weight decay.
class HeadSweep {
 public:
  HeadSweep(const std::vector<double>& learning_rates, int64_t classes, int64_t channels, double momentum,
            int64_t total_steps, const at::Device& device);

  /// [N, channels] -> [N, rates, classes]
  at::Tensor logits(const at::Tensor& features) const;
  /// One step, from the gradient by the logits, [N, rates, classes], that `features` gave.
  void step(const at::Tensor& features, const at::Tensor& gradient);

  LinearHead head(int64_t rate) const;

 private:
  int64_t classes_, total_steps_, step_ = 0;
  double momentum_;
  at::Tensor rates_;                                            // [rates, 1]
  at::Tensor weight_, bias_, weight_velocity_, bias_velocity_;  // [rates, classes, channels], [rates, classes]
};

/// Multinomial logistic regression to its optimum: the sum over the rows of the cross entropy plus l2 / 2 times the
/// squares of the weights, without the biases, as scikit-learn's LogisticRegression(C=1/l2). By L-BFGS, in fp64.
///   features [N, channels]; labels [N] int64, any of `classes`
LinearHead fit_logistic(const at::Tensor& features, const at::Tensor& labels, int64_t classes, double l2);

}  // namespace freeatm::evaluation
