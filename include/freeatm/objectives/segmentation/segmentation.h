// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/models/segmentation/segmenter.h"
#include "freeatm/objectives/segmentation/inference.h"
#include "freeatm/objectives/segmentation/views.h"
#include "freeatm/training/objective.h"
#include "freeatm/vision/label_map.h"

namespace freeatm::objectives {

struct SegmentationOptions {
  SegmentationViewOptions views;  // its keys, and those of the segmenter, stand beside ours
  models::SegmenterOptions model;
  double auxiliary_weight = 0.4;  // of the auxiliary head's loss
  double layer_decay = 1;         // as in classification
  double drop_path = 0;
  SegmentationTestOptions test;
  void fields(config::Fields& f);

  /// Throws UserError where the dataset has no label maps, or none of its first pictures a labelled pixel.
  void require_fit(const data::Dataset& dataset, const std::string& root) const;
};

/// A backbone finetuned to tell the class of every pixel. L = cross entropy over the labelled pixels of the batch, and
/// the auxiliary head's by its weight. Observed: "pixel_accuracy" over every eighth pixel each way.
class Segmentation final : public training::Objective {
 public:
  ///   classes: of the data. First weights beside the backbone's are a function of the seed
  Segmentation(std::shared_ptr<models::Backbone> backbone, int64_t classes, const SegmentationOptions& options,
               uint64_t seed);

  /// "pixels": bytes [size, size, 3]; "labels": bytes [size, size], 255: none; where there are drop paths "paths":
  /// [branches]
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;
  training::Counts counts(const data::Batch& batch) const override;
  std::vector<training::ParameterGroup> parameter_groups() override;

  /// The class of every pixel of whole pictures. In evaluation mode.
  std::vector<vision::LabelMap> segment(std::span<const data::Sample> samples);

  models::Segmenter& segmenter() { return *segmenter_; }

 private:
  /// bytes [B, h, w, 3] -> [B, classes, h, w]; sides that the patches do not divide are padded for the model alone.
  at::Tensor logits(const at::Tensor& pixels);

  SegmentationOptions options_;
  int64_t side_unit_;  // pixels that sides are multiples of
  std::vector<double> path_rates_;
  models::ImageNormalize normalized_;
  std::shared_ptr<models::Segmenter> segmenter_;
};

}  // namespace freeatm::objectives
