// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/noun_classes.h"
#include "freeatm/evaluation/picture_scores.h"

namespace freeatm::evaluation {

/// Do pictures show what their captions name? A referee, a classifier trained on real pictures, looks at each; a noun,
/// which is a region of role `thing`, is recalled where the sigmoid of its class is above 1/2. Two regions of one class
/// in a picture are one noun. A picture's score is the share of its nouns that is recalled; without one it has none.
class PromptRecall final : public Referee {
 public:
  /// classify: the referee, with any number of labels a picture
  PromptRecall(Classify classify, std::vector<std::string> class_names);
  void reset() override;
  void process(std::span<const data::Sample> samples) override;
  /// recall                      share of nouns that are recalled
  /// all_recalled                share of pictures, of those with a noun, that show all of theirs
  /// recall_shuffled             the recall of the nouns of the picture half of the set away: what captions that have
  ///                             nothing to do with the pictures would get
  /// unprompted_per_picture      classes that the referee sees and no noun names
  /// nouns, unmapped_nouns       unmapped: of a class that the referee does not know
  /// pictures
  /// recall_by_nouns.<number of nouns in the caption>, recall_by_class.<class>
  /// Throws UserError where no noun is the name of a class.
  Metrics result() override;
  std::string state() override;
  void merge(std::string state) override;

 private:
  struct Share {
    int64_t recalled = 0, all = 0;
    void add(bool is_recalled) { recalled += is_recalled, ++all; }
    double value() const { return static_cast<double>(recalled) / static_cast<double>(all); }
  };

  Classify classify_;
  NounClasses classes_;
  std::vector<at::Tensor> seen_, named_;  // of each batch, [B, classes] bool
  int64_t unmapped_ = 0;
};

}  // namespace freeatm::evaluation
