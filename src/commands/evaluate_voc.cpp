// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/files.h"
#include "freeatm/evaluation/voc_files.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct VocTaskOptions {
  EvaluateOptions common;
  evaluation::VocFilesOptions files;
  void fields(config::Fields& f) {
    common.fields(f);
    files.fields(f);
  }
};

}  // namespace

int evaluate_voc(const config::Composed& composed) {
  const auto options = config::read<VocTaskOptions>(composed);
  const evaluation::VocFilesOptions& files = options.files;
  require_folder(files.annotations, "annotations");
  require_folder(files.results, "results");
  const runs::Claim claim = runs::claim_of(
      options, options.common.out, options.common.resume,
      {{"annotations", runs::identity_of(files.annotations)}, {"results", runs::identity_of(files.results)}});
  return finish_evaluation(options.common, claim, [&] {
    const evaluation::VocFileScores scores = evaluation::score_voc_files(files);
    evaluation::write_curves(fs::path(options.common.out) / "pr_curves.json", scores);
    return scores.result.metrics(scores.class_names);
  });
}

}  // namespace freeatm::commands
