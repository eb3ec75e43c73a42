// SPDX-License-Identifier: Apache-2.0
#include "adamw.h"

#include <ATen/ATen.h>

namespace freeatm::training {

AdamW::AdamW(const OptimizerOptions& options, std::vector<ParameterGroup> groups)
    : Optimizer(std::move(groups), options.clip_norm), options_(options), step_(at::zeros({}, at::kFloat)) {
  for (const auto& group : groups_) {
    Moments& moments = moments_.emplace_back();
    for (const auto& [name, parameter] : group.parameters) {
      moments.mean.push_back(at::zeros_like(parameter));
      moments.square.push_back(at::zeros_like(parameter));
      step_ = step_.to(parameter.device());
    }
  }
}

weights::TensorMap AdamW::state() const {
  weights::TensorMap state{{"step", step_}};
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (size_t i = 0; i < groups_[g].parameters.size(); ++i) {
      const std::string& name = groups_[g].parameters[i].first;
      state["exp_avg." + name] = moments_[g].mean[i];
      state["exp_avg_sq." + name] = moments_[g].square[i];
    }
  }
  return state;
}

void AdamW::update() {
  step_.add_(1);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ParameterGroup& group = groups_[g];
    if (group.parameters.empty()) continue;
    const auto [parameters, gradients] = lists_of(group);
    const std::vector<at::Tensor> steps(parameters.size(), step_);  // the kernel only reads it
    at::_fused_adamw_(parameters, gradients, moments_[g].mean, moments_[g].square, {}, steps,
                      learning_rate_ * group.learning_rate_scale, options_.beta1, options_.beta2,
                      options_.weight_decay * group.weight_decay_scale, options_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false);
  }
}

}  // namespace freeatm::training
