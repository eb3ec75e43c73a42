// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/objective.h"

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

namespace freeatm::training {

at::Tensor Losses::total() const {
  FREEATM_CHECK(!terms.empty(), "an objective gave no loss");
  at::Tensor sum = terms.front().second;
  for (size_t i = 1; i < terms.size(); ++i) sum = sum + terms[i].second;
  return sum;
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
