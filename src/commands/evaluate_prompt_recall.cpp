// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/prompt_recall.h"
#include "freeatm/objectives/trained_models.h"

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

struct PromptRecallTaskOptions {
  EvaluateOptions common;
  std::string checkpoint;
  CaptionedData data;
  std::optional<int64_t> limit;
  int64_t batch_size = 128;
  void fields(config::Fields& f) {
    common.fields(f);
    f("checkpoint", checkpoint, "the referee: the run folder of a finetuning on pictures with any number of labels");
    f.group("data", data);
    f("limit", limit, "judge so many pictures, spread evenly; null: all", config::at_least(1));
    f("batch_size", batch_size, "pictures at once", config::at_least(1));
  }
};

}  // namespace

int evaluate_prompt_recall(const config::Composed& composed) {
  const auto options = config::read<PromptRecallTaskOptions>(composed);
  const objectives::Classifier referee = objectives::load_classifier(options.checkpoint, options.common.device.pick());
  if (!referee.model->is_multi_label()) {
    throw UserError(options.checkpoint, "checkpoint",
                    "knows one label a picture; a referee must tell any number: finetune it on scenes");
  }
  const auto pictures = data::open_dataset({options.data.root, options.data.layout, options.data.split});
  const evaluation::Classify classify = [&](std::span<const data::Sample> samples) {
    return referee.model->logits(samples);
  };
  evaluation::PromptRecall recall(classify, referee.class_names);
  const runs::Claim claim = runs::claim_of(
      options, options.common.out, options.common.resume,
      {runs::data_input(options.data.root, options.data.split), {"checkpoint", runs::identity_of(options.checkpoint)}});
  return finish_evaluation(options.common, claim, [&] {
    return evaluation::judge(recall, *pictures, options.limit, options.batch_size, "prompt recall");
  });
}

}  // namespace freeatm::commands
