// SPDX-License-Identifier: Apache-2.0
// What `evaluate` can judge: one function a task, reading its own options and returning the exit code.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/evaluator.h"
#include "freeatm/evaluation/frozen_task.h"
#include "freeatm/evaluation/pair.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/runtime/device_options.h"

#include "ranks.h"

namespace freeatm::commands {

int evaluate_coco(const config::Composed& composed);
int evaluate_detection(const config::Composed& composed);
int evaluate_frozen(const config::Composed& composed);
int evaluate_masks(const config::Composed& composed);
int evaluate_pairs(const config::Composed& composed);
int evaluate_prompt_recall(const config::Composed& composed);
int evaluate_refereed_masks(const config::Composed& composed);
int evaluate_segmentation(const config::Composed& composed);
int evaluate_voc(const config::Composed& composed);

/// The keys that every task has.
struct EvaluateOptions {
  std::string task, out, resume = "auto", dtype = "fp32";
  runtime::DeviceOptions device{.cudnn_benchmark = false};  // pictures of many sizes
  int64_t seed = 0;
  RankOptions ranks;
  void fields(config::Fields& f);
};

/// The task on frozen features of that name.
std::unique_ptr<evaluation::FrozenTask> make_frozen_task(const std::string& name);

/// The task on pictures and texts of that name.
std::unique_ptr<evaluation::PairTask> make_pair_task(const std::string& name);

/// Claims `out`, measures and writes metrics.json, which says that the folder is finished: where it is there already,
/// it is shown, and nothing is measured but by resume=force. Of several ranks all measure, and the first does the rest.
int finish_evaluation(const EvaluateOptions& options, const runs::Claim& claim,
                      const std::function<evaluation::Metrics()>& measure);

}  // namespace freeatm::commands
