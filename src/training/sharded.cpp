// SPDX-License-Identifier: Apache-2.0
#include "sharded.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/weights/load.h"

#include "gradient_buckets.h"

namespace freeatm::training {
namespace {

using at::Tensor;
using nlohmann::json;

/// Parts of about equal size, each of neighbours: their gradients come together and fill the same buffers.
std::vector<std::vector<Tensor>> parts_of(const std::vector<ParameterGroup>& groups, int64_t world) {
  int64_t all = 0, before = 0;
  for (const auto& group : groups) {
    for (const auto& [name, parameter] : group.parameters) all += parameter.numel();
  }
  std::vector<std::vector<Tensor>> parts(static_cast<size_t>(world));
  for (const auto& group : groups) {
    for (const auto& [name, parameter] : group.parameters) {
      const int64_t middle = before + parameter.numel() / 2;
      parts[static_cast<size_t>(std::min(world - 1, middle * world / std::max<int64_t>(1, all)))].push_back(parameter);
      before += parameter.numel();
    }
  }
  return parts;
}

/// Names, shapes and types, for a rank that must make room.
std::string described(const weights::TensorMap& tensors) {
  json out = json::array();
  for (const auto& [name, tensor] : tensors)
    out.push_back({{"name", name}, {"shape", tensor.sizes().vec()}, {"dtype", static_cast<int>(tensor.scalar_type())}});
  return out.dump();
}

}  // namespace

ShardedOptimizer::ShardedOptimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups,
                                   runtime::Ranks& ranks, bool gradients)
    : Optimizer(std::move(groups), options.clip_norm),
      ranks_(ranks),
      gradients_(gradients),
      parts_(parts_of(groups_, ranks.rank().world)) {
  for (size_t rank = 0; rank < parts_.size(); ++rank) {
    for (const Tensor& parameter : parts_[rank]) owners_[address(parameter)] = static_cast<int64_t>(rank);
  }
  std::vector<ParameterGroup> own = groups_;
  for (ParameterGroup& group : own) {
    std::erase_if(group.parameters,
                  [&](const auto& named) { return owners_.at(address(named.second)) != ranks_.rank().index; });
  }
  OptimizerOptions unclipped = options;
  unclipped.clip_norm.reset();
  own_ = make_optimizer(unclipped, std::move(own));
}

std::function<int64_t(const Tensor&)> ShardedOptimizer::owner() const {
  if (!gradients_) return {};
  return [this](const Tensor& parameter) { return owners_.at(address(parameter)); };
}

void ShardedOptimizer::clip() {
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parts_[static_cast<size_t>(ranks_.rank().index)])
    gradients.push_back(parameter.grad());
  const Tensor square = gradients.empty() ? at::zeros({}) : at::stack(at::_foreach_norm(gradients)).square().sum();
  ranks_.sum(square);
  if (!gradients.empty()) at::_foreach_mul_(gradients, (*clip_norm_ / (square.sqrt() + 1e-6)).clamp_max(1.0));
}

void ShardedOptimizer::exchange_parameters() const {
  for (size_t rank = 0; rank < parts_.size(); ++rank) {
    for (const Tensor& parameter : parts_[rank]) ranks_.take_from(static_cast<int64_t>(rank), parameter);
  }
}

void ShardedOptimizer::update() {
  own_->set_learning_rate(learning_rate());
  own_->step();
  exchange_parameters();
}

weights::TensorMap ShardedOptimizer::state() const {
  weights::TensorMap own = own_->state(), all = own;
  const auto descriptions = ranks_.gather(described(own));
  for (int64_t rank = 1; rank < ranks_.rank().world; ++rank) {
    for (const json& one : json::parse(descriptions[static_cast<size_t>(rank)])) {
      const std::string name = one["name"];
      const auto options = at::dtype(static_cast<at::ScalarType>(one["dtype"].get<int>()));
      const Tensor values =
          rank == ranks_.rank().index ? own.at(name) : at::empty(one["shape"].get<std::vector<int64_t>>(), options);
      ranks_.take_from(rank, values);
      if (ranks_.is_first()) all[name] = values;
    }
  }
  return all;
}

void ShardedOptimizer::load(const weights::TensorMap& saved, const std::string& file) {
  loaded_ = saved;
  loaded_from_ = file;
}

void ShardedOptimizer::share() {
  const weights::TensorMap own = own_->state();
  const auto descriptions = ranks_.gather(described(own));
  const bool is_there = ranks_.gather(loaded_from_).front() != "";
  for (int64_t rank = 0; is_there && rank < ranks_.rank().world; ++rank) {
    for (const json& one : json::parse(descriptions[static_cast<size_t>(rank)])) {
      const std::string name = one["name"];
      Tensor values = at::empty(one["shape"].get<std::vector<int64_t>>(),
                                at::dtype(static_cast<at::ScalarType>(one["dtype"].get<int>())));
      if (ranks_.is_first()) {
        const auto found = loaded_.find(name);
        if (found == loaded_.end()) throw UserError(loaded_from_, name, "is not in the file");
        values.copy_(found->second);
      }
      ranks_.take_from(0, values);
      if (rank == ranks_.rank().index) own.at(name).copy_(values);
    }
  }
  loaded_.clear();
}

}  // namespace freeatm::training
