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
#include "freeatm/models/model.h"
#include "freeatm/objectives/detection/scale_jitter.h"
#include "freeatm/training/objective.h"

namespace freeatm::objectives {

struct DetectionOptions {
  std::vector<int64_t> short_sides = {800};  // pixels; training draws one a picture
  std::optional<int64_t> test_short_side;    // none: the last of these
  int64_t long_side = 1333;
  std::vector<double> scale_jitter;  // least and largest factor (draw_scale_jitter); none: short_sides are drawn from
  bool is_square = false;            // pictures are padded to long_side x long_side
  double flip_probability = 0.5;
  int64_t frozen_stages = 0;  // of the backbone: 1 the stem, 2 the first stage, too
  double layer_decay = 1;     // as in classification
  double drop_path = 0;       // as in classification
  // ViTDet's backbone (models::ViTOptions). 0, false: as the model has it
  int64_t window_size = 0;
  bool relative_positions = false;
  models::RcnnOptions rcnn;  // its keys stand beside ours
  void fields(config::Fields& f);

  /// Positions for the grid of the largest pictures (others get them resized), nothing frozen, ViTDet's attention.
  void fit(models::ModelOptions& model) const;

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

  /// "size", "seen": [2], height and width of the pixels and of the picture that the model sees; ragged: "pixels",
  /// bytes [height * width, 3]; "boxes", [n, 4], in these pixels; "labels", [n], from 1 on; with masks "masks", bytes
  /// [n * height * width]; with drop_path "paths", the scales of the backbone's branches
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;
  std::vector<training::ParameterGroup> parameter_groups() override;

  /// What is found in whole pictures, the surest first. In evaluation mode.
  std::vector<std::vector<evaluation::Detection>> detect(std::span<const data::Sample> samples);

  bool has_masks() const { return options_.rcnn.heads.masks; }
  models::Rcnn& rcnn() { return *rcnn_; }

 private:
  at::Tensor normalized_picture(const at::Tensor& pixels);  // bytes [h, w, 3] -> [3, h, w]
  JitteredCrop draw_view(int64_t height, int64_t width, RandomStream& random) const;
  models::PaddedImages padded(const std::vector<at::Tensor>& images) const;
  void freeze_stages();

  DetectionOptions options_;
  std::vector<double> path_rates_;  // none: nothing is dropped
  models::ImageNormalize normalized_;
  std::shared_ptr<models::Rcnn> rcnn_;
};

}  // namespace freeatm::objectives
