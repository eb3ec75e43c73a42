// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/objective.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::training {

namespace {

at::Tensor in_full(const at::Tensor& value) {
  return at::isReducedFloatingType(value.scalar_type()) ? value.to(at::kFloat) : value;
}

NamedTensors mean_of_terms(const std::vector<Losses>& batches) {
  NamedTensors out;
  const NamedTensors& first = batches.front().terms;
  for (size_t i = 0; i < first.size(); ++i) {
    std::vector<at::Tensor> values;
    for (const Losses& batch : batches) {
      const bool fits = batch.terms.size() == first.size() && batch.terms[i].first == first[i].first;
      FREEATM_CHECK(fits, "terms come and go within a step: '{}'", first[i].first);
      values.push_back(in_full(batch.terms[i].second.detach()));
    }
    out.emplace_back(first[i].first, at::stack(values).mean());
  }
  return out;
}

NamedTensors mean_of_observed(const std::vector<Losses>& batches) {
  std::vector<std::pair<std::string, std::vector<at::Tensor>>> values;  // in the order in which the names came
  for (const Losses& batch : batches) {
    for (const auto& [name, value] : batch.observed) {
      auto found = std::ranges::find(
          values, name, [](const auto& entry) -> const auto& { return entry.first; });
      if (found == values.end()) found = values.insert(values.end(), {name, {}});
      found->second.push_back(in_full(value.detach()));
    }
  }
  NamedTensors out;
  for (const auto& [name, all] : values) out.emplace_back(name, at::stack(all).nanmean());
  return out;
}

}  // namespace

at::Tensor Losses::total() const {
  FREEATM_CHECK(!terms.empty(), "an objective gave no loss");
  at::Tensor sum = in_full(terms.front().second);
  for (size_t i = 1; i < terms.size(); ++i) sum = sum + in_full(terms[i].second);
  return sum;
}

Losses mean_of(const std::vector<Losses>& batches) {
  if (batches.size() == 1) return batches.front();
  return {.terms = mean_of_terms(batches), .observed = mean_of_observed(batches)};
}

std::vector<ParameterGroup> Objective::parameter_groups() {
  ParameterGroup decayed, plain{.weight_decay_scale = 0};
  for (const auto& item : named_parameters()) {
    if (item.value().requires_grad())
      (item.value().dim() > 1 ? decayed : plain).parameters.emplace_back(item.key(), item.value());
  }
  return {decayed, plain};
}

}  // namespace freeatm::training
