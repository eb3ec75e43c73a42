// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/frozen_task.h"
#include "freeatm/evaluation/linear_head.h"

namespace freeatm::evaluation {

struct FewShotOptions {
  std::vector<int64_t> shots = {1, 5, 25, 100};
  int64_t subsets = 5;
  double l2 = 1;
  void fields(config::Fields& f);
};

/// Heads from few labels.
struct FewShotHeads {
  int64_t shots;
  std::vector<LinearHead> heads;  // [subsets], on features as they are
};

/// `count` rows of each class, a function of the seed and the subset's number; those of fewer shots are among those of
/// more. labels: [N] int64, on the CPU. Returns rows, [classes * count].
at::Tensor few_shot_rows(const at::Tensor& labels, int64_t classes, int64_t count, uint64_t seed, int64_t subset);

/// Logistic regressions on random subsets with the same number of pictures of each class. Channels are standardised by
/// the whole training set, which needs no labels. Numbers of shots that a class has too few pictures for are left out;
/// throws UserError where that leaves none, or where pictures have several labels.
std::vector<FewShotHeads> train_few_shot(const LabelledFeatures& train, const FewShotOptions& options, uint64_t seed,
                                         const std::string& label);

/// Mean accuracy over the subsets and its deviation (of the sample), "accuracy_5_shot" and "accuracy_5_shot_deviation".
Metrics few_shot_accuracy(const std::vector<FewShotHeads>& all, const LabelledFeatures& test);

/// evaluate task=fewshot: a backbone by few labels.
std::unique_ptr<FrozenTask> few_shot_task();

}  // namespace freeatm::evaluation
