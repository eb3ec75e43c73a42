// SPDX-License-Identifier: Apache-2.0
#include "sgd.h"

#include <utility>

#include <ATen/ATen.h>

namespace freeatm::training {

MomentumOptimizer::MomentumOptimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups)
    : Optimizer(std::move(groups), options.clip_norm), options_(options) {
  for (const auto& group : groups_) {
    auto& buffers = buffers_.emplace_back();
    if (options_.momentum == 0) continue;
    for (const auto& [name, parameter] : group.parameters) buffers.push_back(at::zeros_like(parameter));
  }
}

weights::TensorMap MomentumOptimizer::state() const {
  weights::TensorMap state;
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (size_t i = 0; i < buffers_[g].size(); ++i)
      state["momentum." + groups_[g].parameters[i].first] = buffers_[g][i];
  }
  return state;
}

void Sgd::update() {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ParameterGroup& group = groups_[g];
    if (group.parameters.empty()) continue;
    const Lists lists = lists_of(group);
    at::_fused_sgd_(lists.parameters, lists.gradients, buffers_[g], options_.weight_decay * group.weight_decay_scale,
                    options_.momentum, learning_rate_ * group.learning_rate_scale, /*dampening=*/0, options_.nesterov,
                    /*maximize=*/false, /*is_first_step=*/false);  // buffers begin with zeros
  }
}

namespace {

/// Splits each group into what has more than one dimension and what has not.
std::vector<ParameterGroup> by_dimensions(const std::vector<ParameterGroup>& groups) {
  std::vector<ParameterGroup> split;
  for (const ParameterGroup& group : groups) {
    ParameterGroup matrices = group, vectors = group;
    std::erase_if(matrices.parameters, [](const auto& named) { return named.second.dim() <= 1; });
    std::erase_if(vectors.parameters, [](const auto& named) { return named.second.dim() > 1; });
    for (ParameterGroup* part : {&matrices, &vectors}) {
      if (!part->parameters.empty()) split.push_back(std::move(*part));
    }
  }
  return split;
}

/// The factor of each update, on the device: nothing waits for it.
std::vector<at::Tensor> trust_ratios(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& updates,
                                     double coefficient) {
  const at::Tensor weight = at::stack(at::_foreach_norm(parameters)), update = at::stack(at::_foreach_norm(updates));
  const at::Tensor both = weight.gt(0).logical_and(update.gt(0));
  return at::where(both, coefficient * weight / update, at::ones_like(weight)).unbind();
}

}  // namespace

Lars::Lars(const OptimizerOptions& options, std::vector<ParameterGroup> groups)
    : MomentumOptimizer(options, by_dimensions(groups)) {}

void Lars::update() {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ParameterGroup& group = groups_[g];
    Lists lists = lists_of(group);
    std::vector<at::Tensor>& updates = lists.gradients;  // in place: the gradients have served
    if (lists.parameters.front().dim() > 1) {
      at::_foreach_add_(updates, lists.parameters, options_.weight_decay * group.weight_decay_scale);
      at::_foreach_mul_(updates, trust_ratios(lists.parameters, updates, options_.trust_coefficient));
    }
    if (options_.momentum != 0) {
      at::_foreach_mul_(buffers_[g], options_.momentum);
      at::_foreach_add_(buffers_[g], updates);
    }
    at::_foreach_add_(lists.parameters, options_.momentum != 0 ? buffers_[g] : updates,
                      -learning_rate_ * group.learning_rate_scale);
  }
}

}  // namespace freeatm::training
