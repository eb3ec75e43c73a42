// SPDX-License-Identifier: Apache-2.0
// Masks of pictures of which nobody knows the exact ones.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "freeatm/evaluation/mask_pairs.h"
#include "freeatm/evaluation/noun_classes.h"
#include "freeatm/evaluation/picture_scores.h"
#include "freeatm/evaluation/segmentation_quality.h"

namespace freeatm::evaluation {

/// A referee, a segmenter trained on pictures with exact masks, says what each pixel shows; the mask of each thing that
/// a caption names is compared with the pixels of its class. Things of one class in a picture are one, with the union
/// of their masks. On pictures with exact masks the same numbers are the referee's own. A picture's score is its
/// mean IoU, 0 for what the referee does not see; without a thing of a class that it knows it has none.
class RefereedMasks final : public Referee {
 public:
  RefereedMasks(Segment segment, std::vector<std::string> class_names);
  void reset() override;
  void process(std::span<const data::Sample> samples) override;
  /// What `agreement` and `agreement_by_kind` say of the things whose class the referee sees in their picture; whether
  /// it does is a matter of the picture, not of the mask:
  /// seen             share of things whose class the referee sees
  /// mean_iou_of_all  with an IoU of 0 where it does not
  /// things, unmapped_things, pictures    unmapped: of a class that the referee does not know
  /// Throws UserError where no thing has a mask, or none is of a class that the referee knows.
  Metrics result() override;
  std::string state() override;
  void merge(std::string state) override;

 private:
  /// The masks of a picture's things by class; counts those of no class.
  std::map<int64_t, std::vector<vision::Rle>> masks_by_class(const data::Sample& sample);

  Segment segment_;
  NounClasses classes_;
  std::vector<MaskPair> pairs_;                                   // truth: what the referee sees; only of what it sees
  int64_t pictures_ = 0, things_ = 0, unmapped_ = 0, found_ = 0;  // found: with a pixel
};

}  // namespace freeatm::evaluation
