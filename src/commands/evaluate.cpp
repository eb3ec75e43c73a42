// SPDX-License-Identifier: Apache-2.0
// freeatm evaluate: task=knn, linear, fewshot and dense judge a backbone's features, task=retrieval, zeroshot, pointing
// and relations a vision-language model, task=masks a diffusion model's masks, task=prompt_recall its pictures;
// task=segmentation a segmenter or PNGs, task=coco and voc score files of results.
#include <algorithm>
#include <string>
#include <vector>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/names.h"
#include "freeatm/evaluation/dense_probe.h"
#include "freeatm/evaluation/few_shot.h"
#include "freeatm/evaluation/knn.h"
#include "freeatm/evaluation/linear_probe.h"
#include "freeatm/runtime/rendezvous.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct Task {
  const char* name;
  int (*run)(const config::Composed&);
  std::unique_ptr<evaluation::FrozenTask> (*make_frozen)() = nullptr;  // of evaluate_frozen
  std::unique_ptr<evaluation::PairTask> (*make_pair)() = nullptr;      // of evaluate_pairs
};

constexpr Task kTasks[] = {
    {"knn", evaluate_frozen, evaluation::knn_task},
    {"linear", evaluate_frozen, evaluation::linear_task},
    {"fewshot", evaluate_frozen, evaluation::few_shot_task},
    {"dense", evaluate_frozen, evaluation::dense_task},
    {"retrieval", evaluate_pairs, nullptr, evaluation::retrieval_task},
    {"zeroshot", evaluate_pairs, nullptr, evaluation::zero_shot_task},
    {"pointing", evaluate_pairs, nullptr, evaluation::pointing_task},
    {"relations", evaluate_pairs, nullptr, evaluation::relations_task},
    {"detection", evaluate_detection},
    {"masks", evaluate_masks},
    {"prompt_recall", evaluate_prompt_recall},
    {"segmentation", evaluate_segmentation},
    {"coco", evaluate_coco},
    {"voc", evaluate_voc},
};

/// Throws UserError for another name.
const Task& find_task(const std::string& name) {
  const auto* task = std::ranges::find(kTasks, name, [](const Task& one) { return std::string(one.name); });
  if (task == std::end(kTasks))
    throw UserError("", "task", "'{}' is not {}{}", name, one_of(names_in(kTasks)),
                    did_you_mean(name, names_in(kTasks)));
  return *task;
}

}  // namespace

void EvaluateOptions::fields(config::Fields& f) {
  f("task", task, "what is judged", config::any_of(names_in(kTasks)));
  f("out", out, "folder of metrics.json", config::free());
  f("resume", resume, "scores that are there are shown; force: judged anew", runs::any_resume());
  f("seed", seed, "of random weights and of noise", config::between(0, 4294967295));
  device.fields(f);
  f("dtype", dtype, "compute type", config::any_of({"fp32"}));
}

std::unique_ptr<evaluation::FrozenTask> make_frozen_task(const std::string& name) {
  return find_task(name).make_frozen();
}

std::unique_ptr<evaluation::PairTask> make_pair_task(const std::string& name) { return find_task(name).make_pair(); }

int finish_evaluation(const EvaluateOptions& options, const runs::Claim& claim,
                      const std::function<evaluation::Metrics()>& measure) {
  const runs::RunFolder folder(claim);
  if (fs::exists(folder.path() / "metrics.json") && options.resume != "force") {
    log::info("{}: is judged already; resume=force judges anew", options.out);
  } else {
    evaluation::write_metrics(folder.path(), options.task, measure());
  }
  evaluation::print_metrics(folder.path());
  return 0;
}

int evaluate(const config::Composed& composed) {
  if (const auto ranks = runtime::find_rendezvous()) {
    throw UserError("", "", "evaluate is not shared by ranks, of which {} has started {}: start it once",
                    ranks->started_by, ranks->rank.world);
  }
  const config::Node* given = composed.tree.find("task");
  return find_task(given == nullptr ? "" : given->text()).run(composed);
}

}  // namespace freeatm::commands
