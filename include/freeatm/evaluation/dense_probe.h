// SPDX-License-Identifier: Apache-2.0
// Semantic segmentation by a linear classifier on a frozen backbone's grid.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/features.h"
#include "freeatm/evaluation/frozen_task.h"
#include "freeatm/evaluation/linear_head.h"

namespace freeatm::evaluation {

struct DenseProbeOptions {
  int64_t epochs = 10, batch_size = 32;
  std::vector<double> learning_rates = {1, 3, 10, 30};
  double momentum = 0.9;
  double holdout = 0.1;
  int64_t detail = 4;
  void fields(config::Fields& f);
};

/// Grids of features and what each pixel of their pictures shows.
struct LabelledGrids {
  at::Tensor grids;  // [N, channels, h, w], on the backbone's device
  at::Tensor maps;   // [N, side, side] int16 on the CPU: 0 is the background, 1 + i the dataset's class i
  std::vector<std::string> class_names;  // "background" first

  int64_t size() const { return grids.size(0); }
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

/// dataset: of objects with masks; throws UserError elsewhere. Pictures and masks are squeezed into squares; where
/// objects overlap the last one counts.
LabelledGrids extract_grids(FrozenBackbone& backbone, const data::Dataset& dataset, const FeatureOptions& options,
                            std::optional<int64_t> limit, const std::string& label);

struct DenseProbe {
  LinearHead head;  // on features as they are
  double learning_rate = 0;
  std::vector<double> holdout_scores;  // [learning_rates]: mean IoU
};

/// A linear layer for each cell, upsampled (bilinear) to `detail` times the grid, learns the pixels' classes by cross
/// entropy. Learning rates are tried and chosen as in train_linear_probe. A function of the grids, the options and the
/// seed.
DenseProbe train_dense_probe(const LabelledGrids& train, const DenseProbeOptions& options, uint64_t seed,
                             const std::string& label);

/// Pixels of each class that were taken for each class, [classes, classes] int64; logits upsampled to whole pictures.
at::Tensor confusion(const LinearHead& head, const LabelledGrids& test);

/// From a confusion matrix, rows: true classes. mean_iou (over the classes that are there), pixel_accuracy,
/// iou.<class>.
Metrics segmentation_metrics(const at::Tensor& confusion, const std::vector<std::string>& class_names);

/// evaluate task=dense: a backbone by a linear segmentation.
std::unique_ptr<FrozenTask> dense_task();

}  // namespace freeatm::evaluation
