// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/optimizer.h"

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/weights/load.h"

#include "adamw.h"
#include "sgd.h"
#include "sharded.h"

namespace freeatm::training {

void OptimizerOptions::fields(config::Fields& f) {
  f("name", name, "how weights follow their gradients", config::any_of({"adamw", "sgd", "lars"}));
  f("beta1", beta1, "adamw: decay of the gradient's mean", config::between(0, 0.99999));
  f("beta2", beta2, "adamw: decay of the squared gradient's mean", config::between(0, 0.99999));
  f("epsilon", epsilon, "adamw: added to the root of the squared gradient's mean", config::more_than(0));
  f("momentum", momentum, "sgd, lars: what an update keeps of the one before", config::between(0, 0.99999));
  f("nesterov", nesterov, "sgd: look ahead by one momentum");
  f("trust_coefficient", trust_coefficient, "lars: length of an update, as a part of its weight's",
    config::more_than(0));
  f("weight_decay", weight_decay, "of weights; norms and biases are not decayed", config::at_least(0));
  f("clip_norm", clip_norm, "longest that all gradients together may be; null: any", config::more_than(0));
  if (f.reading() && nesterov && momentum == 0) f.refuse("nesterov", "has no momentum to look ahead with");
}

Optimizer::Lists Optimizer::lists_of(const ParameterGroup& group) {
  Lists lists;
  for (const auto& [name, parameter] : group.parameters) {
    FREEATM_CHECK(parameter.grad().defined(), "{} got no gradient", name);
    lists.parameters.push_back(parameter);
    lists.gradients.push_back(parameter.grad());
  }
  return lists;
}

// Nothing here waits for the device.
void Optimizer::clip() {
  std::vector<at::Tensor> all;
  for (const auto& group : groups_) {
    for (auto& gradient : lists_of(group).gradients) all.push_back(std::move(gradient));
  }
  const at::Tensor norm = at::stack(at::_foreach_norm(all)).norm();
  at::_foreach_mul_(all, (*clip_norm_ / (norm + 1e-6)).clamp_max(1.0));
}

void Optimizer::step() {
  const at::NoGradGuard no_grad;
  if (clip_norm_) clip();
  update();
  for (const auto& group : groups_) {
    for (const auto& [name, parameter] : group.parameters) parameter.mutable_grad().reset();
  }
}

void Optimizer::load(const weights::TensorMap& saved, const std::string& file) {
  weights::require_complete(weights::load_into(state(), saved), file);
}

void Optimizer::share() {
  for (const auto& [name, tensor] : state()) runtime::ranks().take_from(0, tensor);
}

void Optimizer::backward_and_step(const at::Tensor& loss) {
  loss.backward();
  step();
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups) {
  if (options.name == "sgd") return std::make_unique<Sgd>(options, std::move(groups));
  if (options.name == "lars") return std::make_unique<Lars>(options, std::move(groups));
  return std::make_unique<AdamW>(options, std::move(groups));
}

std::unique_ptr<Optimizer> make_sharded_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups,
                                                  const std::string& shard) {
  if (shard == "none" || runtime::ranks().is_alone()) return make_optimizer(options, std::move(groups));
  return std::make_unique<ShardedOptimizer>(options, std::move(groups), runtime::ranks(), shard == "gradients");
}

}  // namespace freeatm::training
