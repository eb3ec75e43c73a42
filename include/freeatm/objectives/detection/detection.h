// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/evaluation/detection.h"
#include "freeatm/models/detection/rcnn.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/training/objective.h"

namespace freeatm::objectives {

struct DetectionOptions {
  std::vector<int64_t> short_sides = {800};  // pixels; training draws one a picture
  std::optional<int64_t> test_short_side;    // none: the last of these
  int64_t long_side = 1333;
  double flip_probability = 0.5;
  int64_t frozen_stages = 0;  // of the backbone: 1 the stem, 2 the first stage, too
  double layer_decay = 1;     // as in classification
  models::RcnnOptions rcnn;   // its keys stand beside ours
  void fields(config::Fields& f);

  /// With masks where they are wanted ("auto" of the data). Throws UserError where the dataset has no objects, or no
  /// masks and they are asked for.
  void require_fit(const data::Dataset& dataset, const std::string& root) const;
};

/// A backbone finetuned as a detector: Faster R-CNN, or Mask R-CNN with `heads.masks`. Pictures are mirrored and
/// resized; all else is torchvision's.
class Detection final : public training::Objective {
 public:
  ///   classes: of the data. First weights beside the backbone's are a function of the seed
  Detection(std::shared_ptr<models::Backbone> backbone, int64_t classes, const DetectionOptions& options,
            uint64_t seed);

  /// "size": [2], height and width; "short_side": []; ragged: "pixels", bytes [height * width, 3]; "boxes", [n, 4];
  /// "labels", [n], from 1 on; with masks "masks", bytes [n * height * width]
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;
  std::vector<training::ParameterGroup> parameter_groups() override;

  /// What is found in whole pictures, the surest first. In evaluation mode.
  std::vector<std::vector<evaluation::Detection>> detect(std::span<const data::Sample> samples);

  bool has_masks() const { return options_.rcnn.heads.masks; }
  models::Rcnn& rcnn() { return *rcnn_; }

 private:
  at::Tensor normalized_picture(const at::Tensor& pixels);  // bytes [h, w, 3] -> [3, h, w]
  void freeze_stages();

  DetectionOptions options_;
  models::ImageNormalize normalized_;
  std::shared_ptr<models::Rcnn> rcnn_;
};

}  // namespace freeatm::objectives
