// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"
#include "freeatm/evaluation/segmentation_files.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct SegmentationTaskOptions {
  EvaluateOptions common;
  evaluation::SegmentationFilesOptions files;
  evaluation::SegmentationScoreOptions score;
  void fields(config::Fields& f) {
    common.fields(f);
    files.fields(f);
    f.group("score", score);
  }
};

/// PNGs that are there, of any program.
int evaluate_label_files(const SegmentationTaskOptions& options) {
  const evaluation::SegmentationFilesOptions& files = options.files;
  if (!files.predictions) throw UserError("", "predictions", "is not given: the folder of PNGs that are judged");
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

}  // namespace

int evaluate_segmentation(const config::Composed& composed) {
  return evaluate_label_files(config::read<SegmentationTaskOptions>(composed));
}

}  // namespace freeatm::commands
