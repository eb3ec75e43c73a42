// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/few_shot.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/random.h"
#include "freeatm/core/signals.h"

namespace freeatm::evaluation {
namespace {

std::vector<std::vector<int64_t>> rows_by_class(const at::Tensor& labels, int64_t classes) {
  std::vector<std::vector<int64_t>> rows(static_cast<size_t>(classes));
  const at::Tensor whole = labels.contiguous();
  const auto* label = whole.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < whole.size(0); ++i) rows.at(static_cast<size_t>(label[i])).push_back(i);
  return rows;
}

}  // namespace

void FewShotOptions::fields(config::Fields& f) {
  f("shots", shots, "labelled pictures of each class", config::at_least(1));
  f("subsets", subsets, "random choices of them; their mean and deviation are reported", config::between(2, 1000));
  f("l2", l2, "weight of the squares in the logistic regression, scikit-learn's 1 / C", config::more_than(0));
  if (f.reading() && shots.empty()) f.refuse("shots", "is empty");
}

at::Tensor few_shot_rows(const at::Tensor& labels, int64_t classes, int64_t count, uint64_t seed, int64_t subset) {
  std::vector<int64_t> chosen;
  for (const auto& rows : rows_by_class(labels, classes)) {
    const Permutation order(std::ssize(rows), stable_hash(format("few shot {}", subset), seed), 0);
    for (int64_t i = 0; i < count; ++i) chosen.push_back(rows.at(static_cast<size_t>(order[i])));
  }
  return at::tensor(chosen);
}

std::vector<FewShotHeads> train_few_shot(const LabelledFeatures& train, const FewShotOptions& options, uint64_t seed,
                                         const std::string& label) {
  if (train.is_multi_label())
    throw UserError("", "data.root", "its pictures have several labels; few shots need one each: an image folder");
  const at::Tensor labels = train.labels.cpu();
  int64_t fewest = labels.size(0);
  for (const auto& rows : rows_by_class(labels, train.classes())) fewest = std::min(fewest, std::ssize(rows));
  std::vector<FewShotHeads> all;
  for (const int64_t shots : options.shots) {
    if (shots <= fewest) all.push_back({shots, {}});
  }
  if (all.empty())
    throw UserError("", "few_shot.shots", "{} are more than the {} training pictures of a class", options.shots,
                    fewest);
  static std::atomic_flag has_warned;  // every weights' scores ask
  if (all.size() < options.shots.size() && !has_warned.test_and_set())
    log::warning("few_shot.shots: of {} those above {} are left out: some class has no more training pictures",
                 options.shots, fewest);

  const ChannelStatistics statistics = channel_statistics(train.features);
  Progress progress(label, std::ssize(all) * options.subsets, "fits");
  for (FewShotHeads& few : all) {
    const bool is_all = few.shots * train.classes() == train.size();  // every subset is the whole set
    for (int64_t subset = 0; subset < options.subsets; ++subset) {
      stop_if_signalled();
      progress.advance();
      if (is_all && subset > 0) {
        few.heads.push_back(few.heads.front());
        continue;
      }
      const at::Tensor rows = few_shot_rows(labels, train.classes(), few.shots, seed, subset).to(train.labels.device());
      const at::Tensor features = (train.features.index_select(0, rows) - statistics.mean) / statistics.deviation;
      few.heads.push_back(for_raw_features(
          fit_logistic(features, train.labels.index_select(0, rows), train.classes(), options.l2), statistics));
    }
  }
  return all;
}

Metrics few_shot_accuracy(const std::vector<FewShotHeads>& all, const LabelledFeatures& test) {
  Metrics metrics;
  for (const FewShotHeads& few : all) {
    std::vector<double> accuracies;
    for (const LinearHead& head : few.heads)
      accuracies.push_back(head.logits(test.features).argmax(1).eq(test.labels).to(at::kDouble).mean().item<double>());
    const at::Tensor values = at::tensor(accuracies, at::kDouble);
    metrics.push_back({format("accuracy_{}_shot", few.shots), values.mean().item<double>()});
    metrics.push_back({format("accuracy_{}_shot_deviation", few.shots), values.std().item<double>()});
  }
  return metrics;
}

}  // namespace freeatm::evaluation
