// SPDX-License-Identifier: Apache-2.0
// How well a classifier tells what is in pictures: mean average precision where they have any number of labels,
// accuracy where each has one.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/evaluator.h"

namespace freeatm::evaluation {

/// Pictures -> logits, [B, classes], on any device.
using Classify = std::function<at::Tensor(std::span<const data::Sample>)>;

/// The area under each class's precision-recall curve, as scikit-learn's `average_precision_score` has it:
///   AP = sum over thresholds n of (recall_n - recall_{n-1}) * precision_n; equal scores are one threshold
///   scores: [N, K], any real numbers; targets: [N, K], 0 or 1
/// Returns [K]; NaN for a class that no picture has.
std::vector<double> average_precision(const at::Tensor& scores, const at::Tensor& targets);

/// Its mean over the classes that some picture has. Throws UserError where no picture has a label.
double mean_average_precision(const at::Tensor& scores, const at::Tensor& targets);

/// What the two evaluators below measure, of all pictures' logits, [N, classes].
///   targets: [N, classes], 0 or 1; labels: [N] int64
Metrics multi_label_metrics(const at::Tensor& logits, const at::Tensor& targets,
                            const std::vector<std::string>& class_names);
Metrics single_label_metrics(const at::Tensor& logits, const at::Tensor& labels,
                             const std::vector<std::string>& class_names);

/// Pictures with any number of labels. Metrics: mean_average_precision (over the classes that the pictures have),
/// exact_match (share of pictures whose classes above a sigmoid of 1/2 are just its labels), pictures, and
/// average_precision.<class>.
class MultiLabelQuality final : public Evaluator {
 public:
  MultiLabelQuality(Classify classify, std::vector<std::string> class_names);
  void reset() override;
  void process(std::span<const data::Sample> samples) override;
  Metrics result() override;
  std::string state() override;
  void merge(std::string state) override;

 private:
  Classify classify_;
  std::vector<std::string> class_names_;
  std::vector<at::Tensor> logits_, targets_;  // of each batch, [B, K]
};

/// Pictures with one label each. Metrics: top1_accuracy, top5_accuracy (with more than five classes), pictures, and
/// accuracy.<class>: of that class's pictures.
class SingleLabelQuality final : public Evaluator {
 public:
  SingleLabelQuality(Classify classify, std::vector<std::string> class_names);
  void reset() override;
  void process(std::span<const data::Sample> samples) override;
  Metrics result() override;
  std::string state() override;
  void merge(std::string state) override;

 private:
  Classify classify_;
  std::vector<std::string> class_names_;
  std::vector<at::Tensor> logits_, labels_;  // of each batch, [B, K] and [B]
};

/// What judges a classifier on such pictures: with one label each, or with several.
std::unique_ptr<Evaluator> quality_of(const Classify& classify, const data::Dataset& pictures);

}  // namespace freeatm::evaluation
