// SPDX-License-Identifier: Apache-2.0
// evaluate task=detection: a detector on annotated pictures.
#include <algorithm>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/detection_quality.h"
#include "freeatm/evaluation/splits.h"
#include "freeatm/objectives/detection/trained.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct DetectionData {
  std::string root, layout = "auto";
  void fields(config::Fields& f) {
    f("root", root, "where the annotated pictures lie");
    f("layout", layout, "as of finetune; auto: told by what lies there");
  }
};

struct DetectionTaskOptions {
  EvaluateOptions common;
  std::string checkpoint;
  objectives::WeightsOptions weights;
  DetectionData data;
  std::vector<std::string> eval_splits = {"val", "test", "background", "look", "drawing", "shifted"};
  objectives::DetectionOptions objective;
  evaluation::DetectionScoreOptions score;

  void fields(config::Fields& f) {
    common.fields(f);
    f("checkpoint", checkpoint, "a run of finetune task=detection, or torchvision's weights of a detector");
    f.group("weights", weights);
    f.group("data", data);
    f("eval_splits", eval_splits, "judged: those of these that data.root has");
    f.group("objective", objective);  // a run has its own
    f.group("score", score);
  }
};

/// Scores are the run's own where the user asks for nothing else: a nano's small objects are smaller than COCO's.
void settle_score(evaluation::DetectionScoreOptions& score, const fs::path& run) {
  if (run.empty() || score.coco != evaluation::CocoMetricsOptions()) return;
  score.coco = runs::options_of_run<evaluation::DetectionScoreOptions>(run, "score").coco;
}

/// A dataset under the labels of a file without class names: its own categories' ids, as torchvision's COCO weights
/// have them.
std::vector<int64_t> labels_by_id(const data::Dataset& dataset, int64_t classes, const std::string& where) {
  auto ids = dataset.class_ids();
  for (const int64_t id : ids) {
    if (id < 1 || id > classes)
      throw UserError(where, "checkpoint", "knows labels 1 to {}; the data has a category of id {}", classes, id);
  }
  return ids;
}

/// Detections with the dataset's categories in place of the detector's labels; those of no category are dropped.
evaluation::Detect with_categories(evaluation::Detect detect, const std::vector<int64_t>& label_of_category) {
  return [detect = std::move(detect), label_of_category](std::span<const data::Sample> samples) {
    auto found = detect(samples);
    for (auto& of_picture : found) {
      std::erase_if(of_picture, [&](evaluation::Detection& one) {
        const auto place = std::ranges::find(label_of_category, one.category + 1);
        one.category = place - label_of_category.begin();
        return place == label_of_category.end();
      });
    }
    return found;
  };
}

}  // namespace

int evaluate_detection(const config::Composed& composed) {
  auto options = config::read<DetectionTaskOptions>(composed);
  const at::Device device = options.common.device.pick();
  const objectives::TrainedDetector detector =
      objectives::open_detector(options.checkpoint, options.weights, options.objective, device);
  settle_score(options.score, detector.run);
  const auto open = [&](const std::string& split) {
    return data::open_dataset({options.data.root, options.data.layout, split});
  };
  const auto splits = evaluation::open_splits({options.data.root, options.data.layout}, options.eval_splits,
                                              "eval_splits", detector.class_names, open);

  const runs::Claim claim =
      runs::claim_of(options, options.common.out, options.common.resume,
                     {runs::data_input(options.data.root, ""), {"checkpoint", runs::identity_of(options.checkpoint)}});
  return finish_evaluation(options.common, claim, [&] {
    evaluation::Metrics metrics;
    for (const evaluation::Split& split : splits) {
      evaluation::Detect detect = [&](auto samples) { return detector.model->detect(samples); };
      if (detector.class_names.empty())
        detect = with_categories(std::move(detect),
                                 labels_by_id(*split.dataset, detector.model->rcnn().classes(), detector.where));
      append(metrics,
             evaluation::judge_detections(std::move(detect), detector.model->has_masks(), split, options.score,
                                          options.common.out),
             split.name);
    }
    return metrics;
  });
}

}  // namespace freeatm::commands
