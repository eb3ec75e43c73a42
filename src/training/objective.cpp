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

/// The places of a list's scalars among `names`, which grow by new ones.
std::vector<size_t> places_of(const std::vector<Scalar>& scalars, std::vector<std::string>& names) {
  std::vector<size_t> places;
  for (const Scalar& scalar : scalars) {
    const auto found = std::ranges::find(names, scalar.name);
    places.push_back(static_cast<size_t>(found - names.begin()));
    if (found == names.end()) names.push_back(scalar.name);
  }
  return places;
}

/// Weight and weighted value of one scalar, fp64. Of nothing a term is 0; what is observed and NaN has no weight.
std::pair<at::Tensor, at::Tensor> weighted(const Scalar& scalar, bool is_term) {
  const at::Tensor value = scalar.value.detach().to(at::kDouble);
  at::Tensor weight = scalar.count.defined() ? scalar.count.to(at::kDouble) : at::ones_like(value);
  if (!is_term) weight = weight.masked_fill(value.isnan(), 0);
  return {weight, at::where(weight > 0, value * weight, at::zeros_like(value))};
}

}  // namespace

at::Tensor Losses::total() const {
  FREEATM_CHECK(!terms.empty(), "an objective gave no loss");
  at::Tensor sum = in_full(terms.front().value);
  for (size_t i = 1; i < terms.size(); ++i) sum = sum + in_full(terms[i].value);
  return sum;
}

LossSums sums_of(const std::vector<Losses>& batches) {
  LossSums out;
  std::vector<std::vector<size_t>> terms, observed;
  for (const Losses& batch : batches) {
    terms.push_back(places_of(batch.terms, out.terms));
    observed.push_back(places_of(batch.observed, out.observed));
    FREEATM_CHECK(batch.terms.size() == out.terms.size(), "terms come and go within a step");
  }
  const size_t width = out.terms.size() + out.observed.size();
  std::vector<at::Tensor> weights(width), values(width);
  out.counted.resize(width);
  const auto add = [&](const std::vector<Scalar>& scalars, const std::vector<size_t>& places, size_t first) {
    for (size_t i = 0; i < scalars.size(); ++i) {
      const size_t at = first + places[i];
      const auto [weight, value] = weighted(scalars[i], first == 0);
      const bool counts = scalars[i].count.defined();
      FREEATM_CHECK(!weights[at].defined() || counts == out.counted[at], "'{}' has a count here and none there",
                    scalars[i].name);
      weights[at] = weights[at].defined() ? weights[at] + weight : weight;
      values[at] = values[at].defined() ? values[at] + value : value;
      out.counted[at] = counts;
    }
  };
  for (size_t b = 0; b < batches.size(); ++b) {
    add(batches[b].terms, terms[b], 0);
    add(batches[b].observed, observed[b], out.terms.size());
  }
  out.values = at::stack({at::stack(values), at::stack(weights)});
  return out;
}

Losses means_of(const LossSums& sums) {
  const auto ones = sums.values[1].clamp_min(1);
  Losses out;
  for (size_t i = 0; i < sums.counted.size(); ++i) {
    const bool is_term = i < sums.terms.size();
    const auto place = static_cast<int64_t>(i);
    const at::Tensor mean = sums.values[0][place] / (is_term ? ones : sums.values[1])[place];
    Scalar scalar{is_term ? sums.terms[i] : sums.observed[i - sums.terms.size()], mean};
    if (sums.counted[i]) scalar.count = sums.values[1][place];
    (is_term ? out.terms : out.observed).push_back(std::move(scalar));
  }
  return out;
}

at::Tensor share_of_step(const Losses& losses, const Counts& own, const StepTotals& step) {
  if (step.batches == 1) return losses.total();
  at::Tensor alike, counted;
  const auto add = [](at::Tensor& sum, const at::Tensor& term) { sum = sum.defined() ? sum + term : term; };
  for (const auto& [name, value, count] : losses.terms) {
    const auto found = own.find(name);
    FREEATM_CHECK(count.defined() == (found != own.end()), "the count of '{}' is in one of losses and counts", name);
    if (found == own.end()) {
      add(alike, in_full(value));
      continue;
    }
    const auto all = static_cast<double>(std::max<int64_t>(1, step.counts.at(name)));
    add(counted, in_full(value) * (static_cast<double>(found->second) / all));
  }
  if (alike.defined()) add(counted, alike / static_cast<double>(step.batches));
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
