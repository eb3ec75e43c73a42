// SPDX-License-Identifier: Apache-2.0
// Do harvested masks agree with the objects?
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/diffusion/harvest.h"
#include "freeatm/evaluation/evaluator.h"
#include "freeatm/evaluation/mask_pairs.h"

namespace freeatm::evaluation {

/// The mask of each thing that a caption names is compared with its exact one. Beside the result stands the ceiling,
/// which is the exact masks brought to the grid of the maps and back.
class MaskQuality {
 public:
  /// A picture whose masks are decided; all of one size.
  ///   scores: of each region, of decide(); grid: height and width of its maps
  void add(const data::Sample& sample, const std::vector<diffusion::MaskScores>& scores,
           const std::pair<int64_t, int64_t>& grid);

  /// What was added, as bytes; those of the rank behind this one.
  std::string state();
  void merge(std::string state);

  /// Means over objects: what `agreement` and `agreement_by_kind` say, boundary_f, ceiling_iou; objects, pictures;
  /// rank_correlation.SCORE of each score with the IoU (Spearman).
  /// Throws UserError where there is no thing with an exact mask.
  Metrics result() const;

 private:
  struct Object {
    double boundary_f, ceiling_iou;
    diffusion::MaskScores scores;
  };

  int64_t pictures_ = 0;
  std::vector<MaskPair> pairs_;
  std::vector<Object> objects_;  // of each pair
};

/// Judges what `run_harvest` would write of all pictures of a source (given_pictures), with progress. Masks are decided
/// in threads. Of several runtime::ranks() each judges a part, and the first has the result; the others' is empty.
Metrics judge_masks(const diffusion::HarvestSource& source, const diffusion::HarvestRunOptions& options);

}  // namespace freeatm::evaluation
