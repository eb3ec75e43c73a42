// SPDX-License-Identifier: Apache-2.0
// What evaluate's tasks on frozen features have in common: a backbone beside its random weights, a training split, and
// the splits that are judged.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/features.h"

#include "evaluate_tasks.h"
#include "factories.h"
#include "metrics.h"

namespace freeatm::commands {

struct FrozenData {
  std::string root, layout = "auto", train_split = "train";
  std::vector<std::string> eval_splits = {"test", "shifted"};
  std::optional<int64_t> limit;
  void fields(config::Fields& f);
};

struct FrozenTaskOptions {
  EvaluateOptions common;
  std::string checkpoint;
  ModelOptions model;
  FrozenData data;
  evaluation::FeatureOptions features;
  void fields(config::Fields& f);
};

class FrozenTask {
 public:
  struct Split {
    std::string name;
    std::unique_ptr<data::Dataset> dataset;
  };
  using Open = std::function<std::unique_ptr<data::Dataset>(const std::string& split)>;

  /// Opens all that is needed. Throws UserError where something is missing, or where the splits do
  /// not hold the same classes.
  ///   open: a split's pictures
  FrozenTask(const FrozenTaskOptions& options, const Open& open);
  /// Of data.layout, auto: as open_dataset tells it.
  explicit FrozenTask(const FrozenTaskOptions& options);

  const data::Dataset& train() const { return *train_; }
  const std::vector<Split>& splits() const { return splits_; }
  uint64_t seed() const { return static_cast<uint64_t>(options_.common.seed); }

  /// What `measure(backbone, label)` says of the checkpoint's backbone, and of the same one with random weights, whose
  /// metrics end in "_random_weights": what a score is worth without them, nobody can say. Makes `out`.
  using Measure = std::function<Metrics(evaluation::FrozenBackbone&, const std::string& label)>;
  Metrics run(const Measure& measure) const;

  bool is_untrained() const { return options_.checkpoint == "none"; }
  at::Device device() const { return device_; }

  /// Features of the training split ("label: train"), or of one that is judged.
  evaluation::LabelledFeatures train_features(evaluation::FrozenBackbone& backbone, const std::string& label,
                                              bool mirrored = false) const;
  evaluation::LabelledFeatures features(evaluation::FrozenBackbone& backbone, const Split& split,
                                        const std::string& label) const;

 private:
  FrozenTaskOptions options_;
  at::Device device_;
  std::unique_ptr<data::Dataset> train_;
  std::vector<Split> splits_;
  std::shared_ptr<models::Backbone> trained_, random_;  // trained_: null where there is no checkpoint
};

}  // namespace freeatm::commands
