// SPDX-License-Identifier: Apache-2.0
#include "step_news.h"

#include <utility>

#include <ATen/ATen.h>

namespace freeatm::training {

StepNews::StepNews(runtime::Ranks& ranks, const std::vector<Counts>& own, bool stops, double seconds)
    : ranks_(ranks), totals_{.batches = static_cast<int64_t>(own.size()) * ranks.rank().world} {
  for (const Counts& batch : own) {
    for (const auto& [name, count] : batch) totals_.counts[name] += count;
  }
  std::vector<double> numbers{stops ? 1.0 : 0.0, ranks.is_first() ? seconds : 0};
  for (const auto& [name, count] : totals_.counts) numbers.push_back(static_cast<double>(count));
  numbers_ = at::tensor(numbers, at::kDouble);
  wait_ = ranks_.begin_sum(numbers_);
}

void StepNews::arrive() {
  if (!wait_) return;
  std::exchange(wait_, nullptr)();
  const double* number = numbers_.const_data_ptr<double>() + 2;
  for (auto& [name, count] : totals_.counts) count = static_cast<int64_t>(*number++);
}

const StepTotals& StepNews::totals() {
  arrive();
  return totals_;
}

bool StepNews::stops() {
  arrive();
  return numbers_[0].item<double>() > 0;
}

double StepNews::seconds() {
  arrive();
  return numbers_[1].item<double>();
}

StepLosses::StepLosses(runtime::Ranks& ranks, const std::vector<Losses>& batches)
    : sums_(sums_of(batches)), wait_(ranks.begin_sum(sums_.values)) {}

Losses StepLosses::means() {
  wait_();
  return means_of(sums_);
}

}  // namespace freeatm::training
