// SPDX-License-Identifier: Apache-2.0
// Masks that were found beside those that they should be.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/core/state_bytes.h"
#include "freeatm/evaluation/metrics.h"
#include "freeatm/vision/rle.h"

namespace freeatm::evaluation {

/// A thing's mask that was found, and the one that it should be.
struct MaskPair {
  std::string name;  // in lower case
  int64_t picture = 0;
  vision::Rle truth, found;
  double iou = vision::iou(found, truth);

  /// For StateBytes.
  void bytes(StateBytes& b);
};

/// Means over at least one pair, in the order of their pictures: mean_iou, recall (share with an IoU above a half), and
/// beside them controls: the masks of another picture (shuffled_iou), those of the same picture's other things
/// (permuted_iou, where a picture has several), a centred square of the true mask's area (centred_square_iou).
Metrics agreement(const std::vector<MaskPair>& pairs);

/// iou_by_things.<number of things in the picture>, iou_by_class.<name>
Metrics agreement_by_kind(const std::vector<MaskPair>& pairs);

double mean(const std::vector<double>& values);

}  // namespace freeatm::evaluation
