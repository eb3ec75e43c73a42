// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/frozen_task.h"

namespace freeatm::evaluation {

struct KnnOptions {
  // The first gives "knn_accuracy": chosen beforehand, never the best.
  std::vector<int64_t> neighbours = {20, 10, 100, 200};
  double temperature = 0.07;
  void fields(config::Fields& f);
  /// Without the numbers that the bank is too small for. Throws UserError where that leaves the first out.
  KnnOptions for_bank(int64_t size) const;
};

/// Class votes of each query's k nearest in a bank, as in DINOv2: cosine similarity s, votes exp(s / temperature).
///   queries [Q, C], bank [N, C], bank_labels [N] int64; each k <= N
/// Returns the predicted labels, [Q] for each k, from one search.
std::vector<at::Tensor> knn_predict(const at::Tensor& queries, const at::Tensor& bank, const at::Tensor& bank_labels,
                                    int64_t classes, const std::vector<int64_t>& neighbours, double temperature);

/// Accuracy by nearest neighbours: "knn_accuracy", and "knn_accuracy_by_k.10" for each k.
///   options: for_bank
Metrics knn_accuracy(const LabelledFeatures& queries, const LabelledFeatures& bank, const KnnOptions& options);

/// evaluate task=knn: a backbone by neighbours.
std::unique_ptr<FrozenTask> knn_task();

}  // namespace freeatm::evaluation
