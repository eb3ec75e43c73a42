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

/// By their counts where they have some. Of nothing: 0 of a term, NaN of what is observed.
at::Tensor mean_by_count(const std::vector<const Scalar*>& scalars, bool is_term) {
  std::vector<at::Tensor> values, counts;
  for (const Scalar* scalar : scalars) {
    FREEATM_CHECK(scalar->count.defined() == scalars.front()->count.defined(), "'{}' has a count here and none there",
                  scalar->name);
    values.push_back(in_full(scalar->value.detach()));
    if (scalar->count.defined()) counts.push_back(scalar->count);
  }
  const at::Tensor each = at::stack(values);
  if (counts.empty()) return is_term ? each.mean() : each.nanmean();
  const at::Tensor weights = at::stack(counts).to(each.scalar_type());
  const at::Tensor sum = at::where(weights > 0, each, at::zeros_like(each)).dot(weights), all = weights.sum();
  return sum / (is_term ? all.clamp_min(1) : all);
}

std::vector<Scalar> mean_of_terms(const std::vector<Losses>& batches) {
  std::vector<Scalar> out;
  const std::vector<Scalar>& first = batches.front().terms;
  for (size_t i = 0; i < first.size(); ++i) {
    std::vector<const Scalar*> scalars;
    for (const Losses& batch : batches) {
      const bool fits = batch.terms.size() == first.size() && batch.terms[i].name == first[i].name;
      FREEATM_CHECK(fits, "terms come and go within a step: '{}'", first[i].name);
      scalars.push_back(&batch.terms[i]);
    }
    out.push_back({first[i].name, mean_by_count(scalars, /*is_term=*/true)});
  }
  return out;
}

std::vector<Scalar> mean_of_observed(const std::vector<Losses>& batches) {
  std::vector<std::vector<const Scalar*>> scalars;  // in the order in which the names came
  for (const Losses& batch : batches) {
    for (const Scalar& scalar : batch.observed) {
      auto found = std::ranges::find(
          scalars, scalar.name, [](const auto& all) -> const auto& { return all.front()->name; });
      if (found == scalars.end()) found = scalars.emplace(scalars.end());
      found->push_back(&scalar);
    }
  }
  std::vector<Scalar> out;
  for (const auto& all : scalars) out.push_back({all.front()->name, mean_by_count(all, /*is_term=*/false)});
  return out;
}

}  // namespace

at::Tensor Losses::total() const {
  FREEATM_CHECK(!terms.empty(), "an objective gave no loss");
  at::Tensor sum = in_full(terms.front().value);
  for (size_t i = 1; i < terms.size(); ++i) sum = sum + in_full(terms[i].value);
  return sum;
}

Losses mean_of(const std::vector<Losses>& batches) {
  if (batches.size() == 1) return batches.front();
  return {.terms = mean_of_terms(batches), .observed = mean_of_observed(batches)};
}

at::Tensor share_of_step(const Losses& losses, const Counts& own, const std::vector<Counts>& step) {
  if (step.size() == 1) return losses.total();
  at::Tensor alike, counted;
  const auto add = [](at::Tensor& sum, const at::Tensor& term) { sum = sum.defined() ? sum + term : term; };
  for (const auto& [name, value, count] : losses.terms) {
    const auto found = own.find(name);
    FREEATM_CHECK(count.defined() == (found != own.end()), "the count of '{}' is in one of losses and counts", name);
    if (found == own.end()) {
      add(alike, in_full(value));
      continue;
    }
    int64_t all = 0;
    for (const Counts& batch : step) all += batch.at(name);
    add(counted,
        in_full(value) * (static_cast<double>(found->second) / static_cast<double>(std::max<int64_t>(1, all))));
  }
  if (alike.defined()) add(counted, alike / static_cast<double>(step.size()));
  FREEATM_CHECK(counted.defined(), "an objective gave no loss");
  return counted;
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
