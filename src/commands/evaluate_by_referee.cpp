// SPDX-License-Identifier: Apache-2.0
// evaluate task=prompt_recall and refereed_masks: sampled pictures and their masks, of which nobody knows the truth,
// are judged by a model that was finetuned on pictures where it is known.
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/prompt_recall.h"
#include "freeatm/evaluation/refereed_masks.h"
#include "freeatm/objectives/segmentation/trained.h"
#include "freeatm/objectives/trained_models.h"
#include "freeatm/runtime/ranks.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct CaptionedData {
  std::string root, layout = "auto", split = "test";
  void fields(config::Fields& f) {
    f("root", root, "captioned pictures: shards, or a dataset with captions");
    f("layout", layout, "auto: told by what lies there");
    f("split", split, "a folder's or a list's name; shards have none");
  }
};

struct RefereeTaskOptions {
  EvaluateOptions common;
  std::string checkpoint;
  CaptionedData data;
  std::optional<int64_t> limit;
  int64_t batch_size = 128;
  void fields(config::Fields& f) {
    common.fields(f);
    f("checkpoint", checkpoint,
      "the referee, a run folder of finetune: for prompt_recall on pictures with any number of labels, for "
      "refereed_masks with task=segmentation");
    f.group("data", data);
    f("limit", limit, "judge so many pictures, spread evenly; null: all", config::at_least(1));
    f("batch_size", batch_size, "pictures at once", config::at_least(1));
  }
};

/// Judges, and leaves each picture's score beside the metrics.
int judge_by(evaluation::Referee& referee, const RefereeTaskOptions& options, const std::string& label) {
  const auto pictures = data::open_dataset({options.data.root, options.data.layout, options.data.split});
  const runs::Claim claim = runs::claim_of(
      options, options.common.out, options.common.resume,
      {runs::data_input(options.data.root, options.data.split), {"checkpoint", runs::identity_of(options.checkpoint)}});
  return finish_evaluation(options.common, claim, [&] {
    evaluation::Metrics metrics = evaluation::judge(referee, *pictures, options.limit, options.batch_size, label);
    if (runtime::ranks().is_first()) evaluation::write_picture_scores(options.common.out, referee.picture_scores());
    return metrics;
  });
}

}  // namespace

int evaluate_prompt_recall(const config::Composed& composed) {
  const auto options = config::read<RefereeTaskOptions>(composed);
  const objectives::Classifier referee = objectives::load_classifier(options.checkpoint, options.common.device.pick());
  if (!referee.model->is_multi_label()) {
    throw UserError(options.checkpoint, "checkpoint",
                    "knows one label a picture; a referee must tell any number: finetune it on scenes");
  }
  const evaluation::Classify classify = [&](std::span<const data::Sample> samples) {
    return referee.model->logits(samples);
  };
  evaluation::PromptRecall recall(classify, referee.class_names);
  return judge_by(recall, options, "prompt recall");
}

int evaluate_refereed_masks(const config::Composed& composed) {
  const auto options = config::read<RefereeTaskOptions>(composed);
  const objectives::TrainedSegmenter referee =
      objectives::open_segmenter(options.checkpoint, {}, {}, options.common.device.pick());
  if (referee.class_names.empty())
    throw UserError(options.checkpoint, "checkpoint",
                    "is no run of finetune task=segmentation, which knows its classes");
  const evaluation::Segment segment = [&](std::span<const data::Sample> samples) {
    return referee.model->segment(samples);
  };
  evaluation::RefereedMasks masks(segment, referee.class_names);
  return judge_by(masks, options, "refereed masks");
}

}  // namespace freeatm::commands
