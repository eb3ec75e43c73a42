// SPDX-License-Identifier: Apache-2.0
// freeatm evaluate: task=knn, linear, fewshot and dense judge a backbone's features, task=masks a diffusion model's
// masks, task=prompt_recall its pictures.
#include <algorithm>
#include <string>
#include <vector>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/features.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct Task {
  const char* name;
  Metrics (*run)(const config::Composed&);
};

constexpr Task kTasks[] = {
    {"knn", evaluate_knn},     {"linear", evaluate_linear}, {"fewshot", evaluate_few_shot},
    {"dense", evaluate_dense}, {"masks", evaluate_masks},   {"prompt_recall", evaluate_prompt_recall},
};

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const Task& task : kTasks) names.emplace_back(task.name);
  return names;
}

std::string text_of(const config::Composed& composed, const char* key) {
  const config::Node* node = composed.tree.find(key);
  return node == nullptr ? "" : node->text();
}

const Task& find_task(const config::Composed& composed) {
  const std::string name = text_of(composed, "task");
  const auto* found =
      std::find_if(std::begin(kTasks), std::end(kTasks), [&](const Task& task) { return name == task.name; });
  if (found == std::end(kTasks)) {
    throw UserError("", "task", "'{}' is not {}{}", name, one_of(task_names()), did_you_mean(name, task_names()));
  }
  return *found;
}

}  // namespace

void EvaluateOptions::fields(config::Fields& f) {
  f("task", task, "what is judged", config::any_of(task_names()));
  f("out", out, "folder of metrics.json");
  f("seed", seed, "of random weights and of noise", config::between(0, 4294967295));
  f("device", device, "auto, cpu, cuda or cuda:N");
  f("dtype", dtype, "compute type", config::any_of({"fp32"}));
}

Metrics judge(evaluation::Evaluator& evaluator, const data::Dataset& dataset, std::optional<int64_t> limit,
              int64_t batch_size, const std::string& label) {
  const auto keep = [](data::Sample&& sample) {
    data::View view;
    view.sample = std::move(sample);
    return view;
  };
  evaluation::for_each_batch(dataset, limit, batch_size, label, keep,
                             [&](const data::Batch& batch) { evaluator.process(batch.samples); });
  return evaluator.result();
}

int evaluate(const config::Composed& composed) {
  const Task& task = find_task(composed);
  const Metrics metrics = task.run(composed);
  const fs::path out = text_of(composed, "out");
  write_file(out / "config.yaml", config::to_yaml(composed.tree));  // `view` shows the command that repeats it
  write_metrics(out, task.name, metrics);
  print_metrics(metrics);
  return 0;
}

}  // namespace freeatm::commands
