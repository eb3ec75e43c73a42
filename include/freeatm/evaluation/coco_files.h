// SPDX-License-Identifier: Apache-2.0
// COCO's json of results: scored beside its annotation file, and written.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/coco_metrics.h"

namespace freeatm::evaluation {

struct CocoFilesOptions {
  std::string annotations, results;
  std::vector<std::string> iou;  // "bbox", "segm"; none: what the results hold
  std::string segm_area = "bbox";
  CocoMetricsOptions metrics;
  void fields(config::Fields& f);
};

struct CocoFileScores {
  std::vector<std::string> class_names;  // in the order of the categories' ids
  std::vector<CocoResult> results;       // one of each iou type
};

/// What pycocotools' COCO, loadRes and COCOeval give for two files. Results without a box have their mask's. Judges
/// pictures in LibTorch's threads. Throws UserError where the files do not fit together.
CocoFileScores score_coco_files(const CocoFilesOptions& options);

/// {"bbox": {"recall": [0, .01, ...], "iou": [.5, ...], "classes": {"dog": {"precision": [[...]], "score": [[...]]}}}}
void write_curves(const fs::path& file, const CocoFileScores& scores);

/// Writes detections as others read them, picture after picture, boxes and masks into a file each: where one result has
/// both, pycocotools takes the area of a mask from the box. Of several runtime::ranks() the first writes; what the
/// others are given stays in memory.
class CocoResultWriter {
 public:
  ///   category_ids: the annotation file's own, of each of the detections' categories
  CocoResultWriter(const fs::path& file, IouType type, std::vector<int64_t> category_ids);

  void add(int64_t image_id, const std::vector<Detection>& detections);
  /// What is not on the disk yet, and what another has of it, behind the own.
  const std::string& records() const { return pending_; }
  void append(const std::string& records);
  /// Gives the file its name; without it nothing is left behind.
  void commit();

 private:
  void flush();

  std::optional<PendingPath> file_;  // of the first
  IouType type_;
  std::vector<int64_t> category_ids_;
  std::string pending_;  // joined by commas
  bool is_begun_ = false, has_records_ = false;
};

}  // namespace freeatm::evaluation
