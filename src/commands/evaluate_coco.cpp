// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "freeatm/core/files.h"
#include "freeatm/evaluation/coco_files.h"

#include "evaluate_tasks.h"

namespace freeatm::commands {
namespace {

struct CocoTaskOptions {
  EvaluateOptions common;
  evaluation::CocoFilesOptions files;
  void fields(config::Fields& f) {
    common.fields(f);
    files.fields(f);
  }
};

evaluation::Metrics score(const evaluation::CocoFilesOptions& options, const fs::path& out) {
  const evaluation::CocoFileScores scores = evaluation::score_coco_files(options);
  evaluation::Metrics metrics;
  std::string summary;
  for (const evaluation::CocoResult& result : scores.results) {
    for (const evaluation::Metric& row : result.metrics(scores.class_names)) metrics.push_back(row);
    summary += std::string(evaluation::name_of(result.type)) + "\n" + result.summary();
  }
  evaluation::write_curves(out / "pr_curves.json", scores);
  write_file(out / "summary.txt", summary);
  return metrics;
}

}  // namespace

int evaluate_coco(const config::Composed& composed) {
  const auto options = config::read<CocoTaskOptions>(composed);
  require_file(options.files.annotations, "annotations");
  require_file(options.files.results, "results");
  const runs::Claim claim = runs::claim_of(options, options.common.out, options.common.resume,
                                           {{"annotations", runs::identity_of(options.files.annotations)},
                                            {"results", runs::identity_of(options.files.results)}});
  const fs::path out = options.common.out;
  const int code = finish_evaluation(options.common, claim, [&] { return score(options.files, out); });
  std::fputs(read_file(out / "summary.txt").c_str(), stdout);
  return code;
}

}  // namespace freeatm::commands
