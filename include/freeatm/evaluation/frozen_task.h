// SPDX-License-Identifier: Apache-2.0
// What judges a frozen backbone: a training split to learn from, and the splits that are judged.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/metrics.h"
#include "freeatm/evaluation/splits.h"

namespace freeatm::evaluation {

struct FrozenData {
  std::string root, layout = "auto", train_split = "train";
  std::vector<std::string> eval_splits = {"test", "background", "look", "drawing", "shifted"};
  std::optional<int64_t> limit;
  void fields(config::Fields& f);
};

class FrozenTask;

/// The splits of a task, and what a backbone says of them.
class FrozenPictures {
 public:
  /// Opens all that is needed. Throws UserError where something is missing, or where a split has classes that the
  /// training split lacks.
  FrozenPictures(const FrozenTask& task, const FrozenData& data, const FeatureOptions& features);

  const data::Dataset& train() const { return *train_.dataset; }
  const std::vector<Split>& splits() const { return splits_; }
  const FrozenData& data() const { return data_; }
  const FeatureOptions& options() const { return options_; }

  /// Features of the training split ("label: train"), or of one that is judged.
  LabelledFeatures train_features(FrozenBackbone& backbone, const std::string& label, bool mirrored = false) const;
  LabelledFeatures features(FrozenBackbone& backbone, const Split& split, const std::string& label) const;

 private:
  FrozenData data_;
  FeatureOptions options_;
  Split train_;
  std::vector<Split> splits_;
};

/// One way to judge: neighbours, a linear classifier, few labels, a segmentation.
class FrozenTask {
 public:
  virtual ~FrozenTask() = default;

  /// Its own keys: a group.
  virtual void fields(config::Fields& f) = 0;
  /// A split's pictures; of data.layout, auto: as open_dataset tells it.
  virtual std::unique_ptr<data::Dataset> open(const FrozenData& data, const std::string& split) const;
  ///   label: what progress lines begin with
  virtual Metrics measure(FrozenBackbone& backbone, const FrozenPictures& pictures, uint64_t seed,
                          const std::string& label) const = 0;
  /// What else says what a score is worth, whichever backbone it is of.
  ///   is_untrained: no other weights than random ones are judged
  virtual Metrics beside(const FrozenPictures& /*pictures*/, uint64_t /*seed*/, at::Device /*device*/,
                         bool /*is_untrained*/) const {
    return {};
  }
};

/// `measure`, of a backbone that must be the same before and after.
///   weights: of the rows: "", "random_weights"; progress lines begin with what that says
///   where: the file of the weights, for messages
Metrics judge(const FrozenTask& task, models::Backbone& backbone, at::Device device, const FrozenPictures& pictures,
              uint64_t seed, const std::string& weights, const std::string& where = "");

/// The learning rate that was chosen, and by which scores of those that were tried.
void append_rates(Metrics& metrics, double chosen, const std::vector<double>& rates, const std::vector<double>& scores);

/// 1 over the number of classes.
Metric chance(const FrozenPictures& pictures);

}  // namespace freeatm::evaluation
