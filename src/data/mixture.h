// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// Several datasets as one: `counts` samples of each an epoch, one dataset behind the other. Where that is more than a
/// dataset has, each sample comes equally often and the rest is drawn; what is drawn is another sample in each epoch,
/// and none twice in one: a draw from each of as many runs of about equal length.
class Mixture final : public Dataset {
 public:
  struct Part {
    std::unique_ptr<Dataset> dataset;
    int64_t count = 0;
  };
  explicit Mixture(std::vector<Part> parts);
  int64_t size() const override;
  Sample get(int64_t index, RandomStream& random) const override;
  /// The first part's, where all have labels; those of the others must be among them.
  std::vector<std::string> class_names() const override;
  std::vector<int64_t> class_ids() const override;
  bool is_multi_label() const override;
  bool has_caption(int64_t index) const override;
  /// Nothing where a sample is another in each epoch.
  std::optional<PictureSize> picture_size(int64_t index) const override;
  std::vector<int64_t> shard_sizes() const override;

 private:
  /// Which of the part's samples an index may be: [begin, end).
  struct Place {
    const Part* part;
    int64_t begin, end;
  };
  Place find(int64_t index) const;

  std::vector<Part> parts_;
  bool is_labelled_ = true, is_drawn_ = false;
};

/// How many samples an epoch has of each: `weights` times its size; with `as_shares` that share of all sizes' sum, the
/// weights' sum being the whole.
std::vector<int64_t> mixture_counts(const std::vector<int64_t>& sizes, const std::vector<double>& weights,
                                    bool as_shares);

/// data.root and data.mix_with. Throws UserError where weights are not as many, or a part's classes are unknown to the
/// first.
std::unique_ptr<Dataset> open_mixture(const DatasetOptions& options);

}  // namespace freeatm::data
