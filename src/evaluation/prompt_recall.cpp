// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/prompt_recall.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

#include "tensor_bytes.h"

namespace freeatm::evaluation {

PromptRecall::PromptRecall(Classify classify, std::vector<std::string> class_names)
    : classify_(std::move(classify)), classes_(std::move(class_names)) {}

void PromptRecall::reset() {
  seen_.clear(), named_.clear(), scores_.clear();
  unmapped_ = 0;
}

void PromptRecall::process(std::span<const data::Sample> samples) {
  const at::Tensor logits = classify_(samples).to(at::kCPU);
  FREEATM_CHECK(logits.dim() == 2 && logits.size(1) == std::ssize(classes_.names()), "logits are {} for {} classes",
                logits.sizes(), classes_.names().size());
  at::Tensor named = at::zeros(logits.sizes(), at::kBool);
  for (size_t i = 0; i < samples.size(); ++i) {
    for (const data::Region& region : samples[i].regions) {
      if (region.role != text::Role::kThing) continue;  // with or without a mask: it was asked for
      const auto label = classes_.find(region.name);
      if (label) named[static_cast<int64_t>(i)][*label] = true;
      unmapped_ += !label;
    }
  }
  seen_.push_back(logits.gt(0));  // a sigmoid above 1/2
  named_.push_back(named);
  const at::Tensor nouns = named.sum(1), recalled = (seen_.back() & named).sum(1);
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (const auto count = nouns[at].item<int64_t>(); count > 0)
      scores_.push_back({samples[i].key, recalled[at].item<double>() / static_cast<double>(count)});
  }
}

std::string PromptRecall::state() {
  Tensors unmapped{at::full({}, unmapped_, at::kLong)};
  StateBytes bytes;
  std::string tensors = state_of({&seen_, &named_, &unmapped});
  bytes(tensors), bytes(scores_);
  return std::move(bytes).text();
}

void PromptRecall::merge(std::string state) {
  Tensors unmapped;
  StateBytes bytes(std::move(state));
  std::string tensors;
  std::vector<PictureScore> scores;
  bytes(tensors), bytes(scores);
  append_state(std::move(tensors), {&seen_, &named_, &unmapped});
  std::ranges::move(scores, std::back_inserter(scores_));
  unmapped_ += unmapped.front().item<int64_t>();
}

Metrics PromptRecall::result() {
  FREEATM_CHECK(!seen_.empty(), "result() before process()");
  const at::Tensor seen = at::cat(seen_), named = at::cat(named_);
  const int64_t pictures = seen.size(0), classes = seen.size(1), nouns = named.sum().item<int64_t>();
  if (nouns == 0) {
    throw UserError("", "checkpoint", "none of the {} nouns in the captions is one of its {} classes ({}, ...)",
                    unmapped_, classes, classes_.names().front());
  }
  Share all, whole_pictures;
  std::map<int64_t, Share> by_count;
  std::vector<Share> by_class(classes_.names().size());
  const auto seen_at = seen.accessor<bool, 2>(), named_at = named.accessor<bool, 2>();
  const at::Tensor counts = named.sum(1);
  for (int64_t i = 0; i < pictures; ++i) {
    const int64_t count = counts[i].item<int64_t>();
    int64_t recalled = 0;
    for (int64_t k = 0; k < classes; ++k) {
      if (!named_at[i][k]) continue;
      for (Share* share : {&all, &by_count[count], &by_class[k]}) share->add(seen_at[i][k]);
      recalled += seen_at[i][k];
    }
    if (count > 0) whole_pictures.add(recalled == count);
  }
  const at::Tensor of_others = named.roll(pictures / 2, 0);
  const auto per_picture = [&](const at::Tensor& classes_of_pictures) {
    return classes_of_pictures.sum().item<double>() / static_cast<double>(pictures);
  };
  Metrics metrics{{"recall", all.value()},
                  {"all_recalled", whole_pictures.value()},
                  {"recall_shuffled", (seen & of_others).sum().item<double>() / static_cast<double>(nouns)},
                  {"unprompted_per_picture", per_picture(seen & ~named)},
                  {"nouns", static_cast<double>(nouns)},
                  {"unmapped_nouns", static_cast<double>(unmapped_)},
                  {"pictures", static_cast<double>(pictures)}};
  for (const auto& [count, share] : by_count)
    metrics.push_back({"recall_by_nouns", share.value(), std::to_string(count)});
  for (size_t k = 0; k < by_class.size(); ++k) {
    if (by_class[k].all > 0) metrics.push_back({"recall_by_class", by_class[k].value(), classes_.names()[k]});
  }
  return metrics;
}

}  // namespace freeatm::evaluation
