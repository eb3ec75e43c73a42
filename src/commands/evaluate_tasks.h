// SPDX-License-Identifier: Apache-2.0
// What `evaluate` can judge: one function a task, each in a file of its own, reading its own options.
#pragma once
#include <optional>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/evaluator.h"

#include "metrics.h"

namespace freeatm::commands {

Metrics evaluate_dense(const config::Composed& composed);
Metrics evaluate_few_shot(const config::Composed& composed);
Metrics evaluate_knn(const config::Composed& composed);
Metrics evaluate_linear(const config::Composed& composed);
Metrics evaluate_masks(const config::Composed& composed);
Metrics evaluate_prompt_recall(const config::Composed& composed);

/// The keys that every task has. A task makes `out` as soon as its input is known to be good, before the minutes that
/// follow.
struct EvaluateOptions {
  std::string task, out, device = "auto", dtype = "fp32";
  int64_t seed = 0;
  void fields(config::Fields& f);
};

/// Feeds the dataset, or `limit` pictures spread evenly over it, to the evaluator, with progress under `label`.
Metrics judge(evaluation::Evaluator& evaluator, const data::Dataset& dataset, std::optional<int64_t> limit,
              int64_t batch_size, const std::string& label);

}  // namespace freeatm::commands
