// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/optimizer.h"

#include <ATen/ATen.h>

#include "adamw.h"

namespace freeatm::training {

void OptimizerOptions::fields(config::Fields& f) {
  f("name", name, "", config::any_of({"adamw"}));
  f("beta1", beta1, "decay of the gradient's mean", config::between(0, 0.99999));
  f("beta2", beta2, "decay of the squared gradient's mean", config::between(0, 0.99999));
  f("epsilon", epsilon, "added to the root of the squared gradient's mean", config::more_than(0));
  f("weight_decay", weight_decay, "of weights; norms and biases are not decayed", config::at_least(0));
}

void Optimizer::backward_and_step(const at::Tensor& loss) {
  loss.backward();
  {
    const at::NoGradGuard no_grad;
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
