// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/evaluation/classification.h"
#include "freeatm/evaluation/evaluator.h"

namespace freeatm::evaluation {

/// The class that a noun phrase names: "dogs", "two small dogs" and "Dog" are "dog", "big fire truck" is "fire truck"
/// where there is such a class, not "truck". Of several names in a phrase the last one counts (the head of an English
/// noun phrase), then the longest. Nothing where no class is named.
std::optional<int64_t> class_of_noun(std::string_view noun, const std::vector<std::string>& class_names);

/// Do pictures show what their captions name? A referee, a classifier trained on real pictures, looks at each; a noun,
/// which is a region of role `thing`, is recalled where the sigmoid of its class is above 1/2. Two regions of one class
/// in a picture are one noun.
class PromptRecall final : public Evaluator {
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
  std::optional<int64_t> class_of(const std::string& noun);

  Classify classify_;
  std::vector<std::string> class_names_;
  std::unordered_map<std::string, std::optional<int64_t>> known_nouns_;  // what class_of_noun has said
  std::vector<at::Tensor> seen_, named_;                                 // of each batch, [B, classes] bool
  int64_t unmapped_ = 0;
};

}  // namespace freeatm::evaluation
