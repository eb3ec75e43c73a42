// SPDX-License-Identifier: Apache-2.0
// Do harvested masks agree with the objects?
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/diffusion/harvest.h"
#include "freeatm/evaluation/evaluator.h"

namespace freeatm::evaluation {

/// The mask of each thing that a caption names is compared with its exact one. Beside the result stand controls: the
/// masks of another picture (shuffled), those of the same picture's other things (permuted), a centred square of the
/// exact mask's area; and the ceiling, which is the exact masks brought to the grid of the maps and back.
class MaskQuality {
 public:
  /// A picture whose masks are decided; all of one size.
  ///   scores: of each region, of decide(); grid: height and width of its maps
  void add(const data::Sample& sample, const std::vector<diffusion::MaskScores>& scores,
           const std::pair<int64_t, int64_t>& grid);

  /// Means over objects: mean_iou, boundary_f, recall (share with an IoU above a half), ceiling_iou, shuffled_iou,
  /// permuted_iou (where a picture has several), centred_square_iou; objects, pictures; rank_correlation.SCORE of each
  /// score with the IoU (Spearman); iou_by_things.<number of things in the picture>, iou_by_class.<name>: means.
  /// Throws UserError where there is no thing with an exact mask.
  Metrics result() const;

 private:
  struct Object {
    std::string name;  // in lower case
    int64_t picture;
    vision::Rle exact, found;
    double iou, boundary_f, ceiling_iou, centred_square_iou;
    diffusion::MaskScores scores;
  };

  int64_t pictures_ = 0;
  std::vector<Object> objects_;
};

/// Judges what `run_harvest` would write of all pictures of a source (given_pictures), with progress. Masks are decided
/// in threads.
Metrics judge_masks(const diffusion::HarvestSource& source, const diffusion::HarvestRunOptions& options);

}  // namespace freeatm::evaluation
