// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/objective.h"

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::training {

namespace {

at::Tensor in_full(const at::Tensor& value) {
  return at::isReducedFloatingType(value.scalar_type()) ? value.to(at::kFloat) : value;
}

using Mean = at::Tensor (*)(const at::Tensor& values);

NamedTensors means(const std::vector<Losses>& batches, NamedTensors Losses::*scalars, Mean mean) {
  NamedTensors out;
  for (size_t i = 0; i < (batches.front().*scalars).size(); ++i) {
    std::vector<at::Tensor> values;
    for (const Losses& batch : batches) {
      FREEATM_CHECK((batch.*scalars).size() == (batches.front().*scalars).size(), "losses come and go within a step");
      values.push_back(in_full((batch.*scalars)[i].second.detach()));
    }
    out.emplace_back((batches.front().*scalars)[i].first, mean(at::stack(values)));
  }
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
  return {.terms = means(batches, &Losses::terms, [](const at::Tensor& values) { return values.mean(); }),
          .observed = means(batches, &Losses::observed, [](const at::Tensor& values) { return values.nanmean(); })};
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
