// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/optimizer.h"

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

#include "adamw.h"

namespace freeatm::training {

void OptimizerOptions::fields(config::Fields& f) {
  f("name", name, "", config::any_of({"adamw"}));
  f("beta1", beta1, "decay of the gradient's mean", config::between(0, 0.99999));
  f("beta2", beta2, "decay of the squared gradient's mean", config::between(0, 0.99999));
  f("epsilon", epsilon, "added to the root of the squared gradient's mean", config::more_than(0));
  f("weight_decay", weight_decay, "of weights; norms and biases are not decayed", config::at_least(0));
  f("clip_norm", clip_norm, "longest that all gradients together may be; null: any", config::more_than(0));
}

namespace {

// Nothing here waits for the device.
void clip(const std::vector<ParameterGroup>& groups, double longest) {
  std::vector<at::Tensor> gradients;
  for (const auto& group : groups) {
    for (const auto& [name, parameter] : group.parameters) {
      FREEATM_CHECK(parameter.grad().defined(), "{} got no gradient", name);
      gradients.push_back(parameter.grad());
    }
  }
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients)).norm();
  at::_foreach_mul_(gradients, (longest / (norm + 1e-6)).clamp_max(1.0));
}

}  // namespace

void Optimizer::backward_and_step(const at::Tensor& loss) {
  loss.backward();
  {
    const at::NoGradGuard no_grad;
    if (clip_norm_) clip(groups_, *clip_norm_);
    update();
  }
  for (const auto& group : groups_) {
    for (const auto& [name, parameter] : group.parameters) parameter.mutable_grad().reset();
  }
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups) {
  return std::make_unique<AdamW>(options, std::move(groups));
}

}  // namespace freeatm::training
