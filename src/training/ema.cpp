// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/ema.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/weights/load.h"

namespace freeatm::training {
namespace {

std::string child_of(const std::string& name) { return name.substr(0, name.find('.')); }

std::vector<at::Tensor> values_of(const weights::TensorMap& tensors) {
  std::vector<at::Tensor> values;
  for (const auto& [name, tensor] : tensors) values.push_back(tensor);
  return values;
}

}  // namespace

double ema_decay(double decay, int64_t step) {
  return std::min(decay, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
}

weights::TensorMap averaged_state(const torch::nn::Module& module) {
  std::set<std::string> trained;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) trained.insert(child_of(item.key()));
  }
  weights::TensorMap state = weights::module_state(module);
  std::erase_if(state, [&](const auto& named) {
    return !named.second.is_floating_point() || !trained.contains(child_of(named.first));
  });
  return state;
}

weights::TensorMap copy_of(const weights::TensorMap& tensors) {
  weights::TensorMap copy;
  for (const auto& [name, tensor] : tensors) copy[name] = tensor.detach().clone();
  return copy;
}

Averages::Averages(const weights::TensorMap& trained, const weights::TensorMap& averages)
    : trained_(values_of(trained)), averages_(values_of(averages)) {
  FREEATM_CHECK(trained_.size() == averages_.size(), "{} weights, {} averages", trained_.size(), averages_.size());
}

void Averages::follow(const torch::nn::Module& trained, torch::nn::Module& average) {
  const auto from = trained.named_parameters();
  const at::NoGradGuard no_grad;
  for (const auto& item : average.named_parameters()) {
    const at::Tensor* source = from.find(item.key());
    FREEATM_CHECK(source != nullptr, "there is no trained '{}' to follow", item.key());
    at::Tensor own = item.value();
    own.requires_grad_(false).set_data(source->detach().clone());
    if (!source->requires_grad()) continue;
    trained_.push_back(*source);
    averages_.push_back(own);
  }
}

void Averages::update(double keep) {
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(averages_, trained_, 1 - keep);
}

void EmaHook::after_step(const StepReport& report) { averages_.update(ema_decay(decay_, report.position.step)); }

}  // namespace freeatm::training
