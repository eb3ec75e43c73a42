// SPDX-License-Identifier: Apache-2.0
// freeatm evaluate: task=knn, linear, fewshot and dense judge a backbone's features, task=retrieval, zeroshot, pointing
// and relations a vision-language model, task=masks a diffusion model's masks, task=prompt_recall and refereed_masks
// what it sampled; task=segmentation a segmenter or PNGs, task=coco and voc score files of results.
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
#include "freeatm/runtime/ranks.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

constexpr const char* kShared = "the pictures";

struct Task {
  const char* name;
  int (*run)(const config::Composed&);
  bool is_shared;                                                      // by ranks
  std::unique_ptr<evaluation::FrozenTask> (*make_frozen)() = nullptr;  // of evaluate_frozen
  std::unique_ptr<evaluation::PairTask> (*make_pair)() = nullptr;      // of evaluate_pairs
};

constexpr Task kTasks[] = {
    {"knn", evaluate_frozen, true, evaluation::knn_task},
    {"linear", evaluate_frozen, true, evaluation::linear_task},
    {"fewshot", evaluate_frozen, true, evaluation::few_shot_task},
    {"dense", evaluate_frozen, true, evaluation::dense_task},
    {"retrieval", evaluate_pairs, true, nullptr, evaluation::retrieval_task},
    {"zeroshot", evaluate_pairs, true, nullptr, evaluation::zero_shot_task},
    {"pointing", evaluate_pairs, true, nullptr, evaluation::pointing_task},
    {"relations", evaluate_pairs, true, nullptr, evaluation::relations_task},
    {"detection", evaluate_detection, true},
    {"masks", evaluate_masks, true},
    {"prompt_recall", evaluate_prompt_recall, true},
    {"refereed_masks", evaluate_refereed_masks, true},
    {"segmentation", evaluate_segmentation, true},
    {"coco", evaluate_coco, false},
    {"voc", evaluate_voc, false},
};

/// Throws UserError for another name.
const Task& find_task(const std::string& name) {
  const auto* task = std::ranges::find(kTasks, name, [](const Task& one) { return std::string(one.name); });
  if (task == std::end(kTasks))
    throw UserError("", "task", "'{}' is not {}{}", name, one_of(names_in(kTasks)),
                    did_you_mean(name, names_in(kTasks)));
  return *task;
}

struct RanksAlone {
  RankOptions ranks;
  void fields(config::Fields& f) { ranks.fields(f, kShared); }
};

/// All other keys are for the task to read.
RankOptions ranks_of(const config::Composed& composed) {
  config::Composed own{.command = composed.command, .tree = config::Node(config::Node::Map())};
  for (const char* key : {"processes", "rank_silence"}) {
    if (const config::Node* node = composed.tree.find(key)) own.tree.set(key, *node);
  }
  return config::read<RanksAlone>(own).ranks;
}

}  // namespace

void EvaluateOptions::fields(config::Fields& f) {
  f("task", task, "what is judged", config::any_of(names_in(kTasks)));
  f("out", out, "folder of metrics.json", config::free());
  f("resume", resume, "scores that are there are shown; force: judged anew", runs::any_resume());
  f("seed", seed, "of random weights and of noise", config::between(0, 4294967295));
  device.fields(f);
  f("dtype", dtype, "compute type", config::any_of({"fp32"}));
  ranks.fields(f, kShared);
}

std::unique_ptr<evaluation::FrozenTask> make_frozen_task(const std::string& name) {
  return find_task(name).make_frozen();
}

std::unique_ptr<evaluation::PairTask> make_pair_task(const std::string& name) { return find_task(name).make_pair(); }

int finish_evaluation(const EvaluateOptions& options, const runs::Claim& claim,
                      const std::function<evaluation::Metrics()>& measure) {
  const auto folder = claim_folder(claim);
  const bool is_there = folder && options.resume != "force" && fs::exists(folder->path() / "metrics.json");
  const bool is_judged = !of_the_first(is_there ? "judged" : "").empty();
  if (is_judged) log::info("{}: is judged already; resume=force judges anew", options.out);
  const evaluation::Metrics metrics = is_judged ? evaluation::Metrics{} : measure();
  if (!folder) return 0;
  if (!is_judged) evaluation::write_metrics(folder->path(), options.task, metrics);
  evaluation::print_metrics(folder->path());
  return 0;
}

int evaluate(const config::Composed& composed) {
  const config::Node* given = composed.tree.find("task");
  const Task& task = find_task(given == nullptr ? "" : given->text());
  if (composed.help || composed.rows != nullptr || composed.check_only) return task.run(composed);
  return in_ranks(ranks_of(composed), "", [&] {
    const int64_t ranks = runtime::ranks().rank().world;
    if (!task.is_shared && ranks > 1)
      throw UserError("", "task", "{} is not shared by ranks, of which there are {}: start it once", task.name, ranks);
    config::Composed own = composed;
    if (config::Node* out = own.tree.find("out"))
      *out = config::Node(of_the_first(out->text()));  // its `now` is another
    return task.run(own);
  });
}

}  // namespace freeatm::commands
