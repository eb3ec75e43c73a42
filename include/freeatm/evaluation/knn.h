// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/evaluator.h"
#include "freeatm/models/backbone.h"

namespace freeatm::evaluation {

struct KnnOptions {
  std::vector<int64_t> neighbours = {20, 10, 100,
                                     200};  // the first gives "knn_accuracy": chosen beforehand, never the best
  double temperature = 0.07;
  int64_t image_size = 64;
  int64_t batch_size = 128;
  void fields(config::Fields& f);
};

/// Class votes of each query's k nearest in a bank, as in DINOv2: cosine similarity s, votes exp(s / temperature).
///   queries [Q, C], bank [N, C], bank_labels [N] int64. Returns the predicted labels [Q]; k <= N.
at::Tensor knn_predict(const at::Tensor& queries, const at::Tensor& bank, const at::Tensor& bank_labels,
                       int64_t classes, int64_t k, double temperature);

/// Accuracy of a frozen backbone's pooled features by nearest neighbours: the bank is the training set, `process` takes
/// the test samples. Metrics: "knn_accuracy", then "knn_accuracy_k10" for each k that the bank is large enough for.
class Knn final : public Evaluator {
 public:
  /// Puts the backbone in eval mode and computes the bank. Throws UserError where the training set has no labels.
  Knn(models::Backbone& backbone, at::Device device, const data::Dataset& train, const KnnOptions& options);
  void reset() override;
  void process(std::span<const data::Sample> samples) override;
  /// Checks that the backbone is what it was: a probe must not train.
  std::vector<Metric> result() override;

 private:
  at::Tensor features(std::span<const data::Sample> samples);

  models::Backbone& backbone_;
  at::Device device_;
  KnnOptions options_;
  int64_t classes_;
  std::vector<at::Tensor> weights_before_;
  at::Tensor bank_, bank_labels_;
  std::vector<int64_t> correct_;  // one a k
  int64_t count_ = 0;
};

}  // namespace freeatm::evaluation
