// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/evaluation/detection.h"

#include "coco_truth.h"

namespace freeatm::evaluation {

/// COCO's json of results: masks stay text until they are asked for.
class CocoResults {
 public:
  /// Throws UserError with the file and key, also where a result names what `truth` does not have.
  CocoResults(const fs::path& file, const CocoTruth& truth);

  bool have_boxes() const { return have_boxes_; }
  bool have_masks() const { return have_masks_; }

  /// Of an image (its place), in the file's order. Their areas are the boxes', of results without a box the masks'.
  ///   with_masks: throws UserError where one has no segmentation
  std::vector<Detection> detections(int64_t image, bool with_masks) const;

 private:
  struct Read;
  struct Row {
    double score;
    vision::Box box;
    size_t segmentation;  // where it stands in the text; 0: there is none
    uint32_t index, image, category;
    bool has_box;
  };

  void read_field(JsonScanner& json, Read& read, std::string_view key);
  void add(const Read& read, int64_t index);

  std::string file_, text_;
  const CocoTruth& truth_;
  std::vector<Row> rows_;  // image after image
  bool have_boxes_ = false, have_masks_ = false;
};

}  // namespace freeatm::evaluation
