// SPDX-License-Identifier: Apache-2.0
// evaluate task=segmentation: a segmenter on pictures with maps of classes, or PNGs that any program wrote.
#include <optional>
#include <string>
#include <vector>

#include "freeatm/core/error.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/segmentation_files.h"
#include "freeatm/evaluation/segmentation_quality.h"
#include "freeatm/evaluation/splits.h"
#include "freeatm/objectives/segmentation/trained.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct SegmentationData {
  std::optional<std::string> root;
  std::string layout = "auto";
  void fields(config::Fields& f) {
    f("root", root, "where the pictures and their maps of classes lie");
    f("layout", layout, "as of finetune; auto: told by what lies there");
  }
};

struct SegmentationTaskOptions {
  EvaluateOptions common;
  std::optional<std::string> checkpoint;
  objectives::WeightsOptions weights;
  SegmentationData data;
  std::vector<std::string> eval_splits = {"val", "test", "background", "look", "drawing", "shifted"};
  objectives::SegmentationOptions objective;
  evaluation::SegmentationScoreOptions score;
  evaluation::SegmentationFilesOptions files;

  void fields(config::Fields& f) {
    common.fields(f);
    f("checkpoint", checkpoint,
      "a run of finetune task=segmentation, or torchvision's weights of an FCN; null: PNGs are judged");
    f.group("weights", weights);
    f.group("data", data);
    f("eval_splits", eval_splits, "judged: those of these that data.root has");
    f.group("objective", objective);  // a run has its own
    f.group("score", score);
    files.fields(f);
  }
};

/// PNGs that are there, of any program.
int evaluate_label_files(const SegmentationTaskOptions& options) {
  const evaluation::SegmentationFilesOptions& files = options.files;
  if (!files.predictions)
    throw UserError("", "checkpoint", "is not given, nor is predictions: a segmenter, or a folder of PNGs, is judged");
  if (!files.truth)
    throw UserError("", "truth", "is not given: the folder of PNGs that the predictions are compared with");
  require_folder(*files.predictions, "predictions");
  require_folder(*files.truth, "truth");
  if (files.class_names) require_file(*files.class_names, "class_names");
  std::vector<runs::Input> inputs{{"predictions", runs::identity_of(*files.predictions)},
                                  {"truth", runs::identity_of(*files.truth)}};
  if (files.class_names) inputs.push_back({"class_names", runs::identity_of(*files.class_names)});
  const runs::Claim claim = runs::claim_of(options, options.common.out, options.common.resume, std::move(inputs));
  return finish_evaluation(options.common, claim, [&] {
    return evaluation::score_segmentation_files(files, options.score, options.common.out);
  });
}

/// A file knows no names: its classes are the data's, if there are as many.
void require_as_many(const data::Dataset& dataset, const objectives::TrainedSegmenter& segmenter) {
  const auto classes = static_cast<int64_t>(dataset.class_names().size());
  if (classes != segmenter.model->segmenter().classes())
    throw UserError(segmenter.where, "checkpoint", "tells {} classes; the data has {}",
                    segmenter.model->segmenter().classes(), classes);
}

int evaluate_segmenter(const SegmentationTaskOptions& options) {
  if (options.files.predictions || options.files.truth)
    throw UserError("", "predictions", "are judged without a checkpoint; with one its own are");
  if (!options.data.root)
    throw UserError("", "data.root", "is not given: the pictures that the checkpoint is judged on");
  const at::Device device = options.common.device.pick();
  const objectives::TrainedSegmenter segmenter =
      objectives::open_segmenter(*options.checkpoint, options.weights, options.objective, device);
  const data::DatasetOptions data{.root = *options.data.root, .layout = options.data.layout, .label_maps = true};
  const auto open = [&](const std::string& split) {
    data::DatasetOptions of_split = data;
    of_split.split = split;
    auto dataset = data::open_dataset(of_split);
    if (segmenter.class_names.empty()) require_as_many(*dataset, segmenter);
    return dataset;
  };
  const auto splits = evaluation::open_splits(data, options.eval_splits, "eval_splits", segmenter.class_names, open);

  const runs::Claim claim =
      runs::claim_of(options, options.common.out, options.common.resume,
                     {runs::data_input(data.root, ""), {"checkpoint", runs::identity_of(*options.checkpoint)}});
  return finish_evaluation(options.common, claim, [&] {
    evaluation::Metrics metrics;
    for (const evaluation::Split& split : splits) {
      const auto segment = [&](auto samples) { return segmenter.model->segment(samples); };
      append(metrics, evaluation::judge_segmentation(segment, split, options.score, options.common.out), split.name);
    }
    return metrics;
  });
}

/// The config is finetune's, too, which must be given what is one of two things here.
config::Composed without_required(config::Composed composed) {
  for (const char* path : {"checkpoint", "data.root"}) {
    config::Node* node = composed.tree.find_path(path);
    if (node != nullptr && node->is_missing()) *node = config::Node();
  }
  return composed;
}

}  // namespace

int evaluate_segmentation(const config::Composed& composed) {
  const auto options = config::read<SegmentationTaskOptions>(without_required(composed));
  return options.checkpoint ? evaluate_segmenter(options) : evaluate_label_files(options);
}

}  // namespace freeatm::commands
