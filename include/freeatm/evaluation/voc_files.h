// SPDX-License-Identifier: Apache-2.0
// PASCAL VOC's text files of results: scored beside its annotations, and written.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/voc_metrics.h"

namespace freeatm::evaluation {

struct VocFilesOptions {
  std::string annotations, split = "test", results;
  std::vector<std::string> classes;  // none: those of the annotations
  VocMetricsOptions metrics;
  void fields(config::Fields& f);
};

struct VocFileScores {
  std::vector<std::string> class_names;
  VocResult result;
};

/// What the devkit gives for VOC2007/ (Annotations/*.xml, ImageSets/Main/SPLIT.txt) and a folder of results
/// (comp4_det_SPLIT_CLASS.txt, or comp3; a line a detection: picture, score, x1 y1 x2 y2, one-based). Throws UserError
/// where they do not fit together.
VocFileScores score_voc_files(const VocFilesOptions& options);

/// {"recall": [0, .01, ...], "classes": {"dog": {"precision": [...], "score": [...]}}}
void write_curves(const fs::path& file, const VocFileScores& scores);

/// Writes detections as VOC's devkit reads them: FOLDER/comp4_det_SPLIT_CLASS.txt, also where a class has none.
class VocResultWriter {
 public:
  VocResultWriter(fs::path folder, std::string split, std::vector<std::string> class_names);

  ///   picture: its name, without an ending
  void add(const std::string& picture, const std::vector<Detection>& detections);
  void commit() const;

 private:
  fs::path folder_;
  std::string split_;
  std::vector<std::string> class_names_, texts_;  // texts_: of each class
};

}  // namespace freeatm::evaluation
