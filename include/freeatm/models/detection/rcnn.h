// SPDX-License-Identifier: Apache-2.0
// Faster R-CNN and Mask R-CNN (Ren et al. 2015, He et al. 2017) over any backbone: torchvision's `FasterRCNN` and
// `MaskRCNN` with a pyramid, by value and, but for "backbone.body.", by name. Boxes are x1, y1, x2, y2 in pixels.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/detection/anchors.h"
#include "freeatm/models/detection/pyramid.h"

namespace freeatm::models {

/// Region proposals: which anchors hold a thing, and where in them it lies.
struct RpnOptions {
  int64_t convolutions = 1;
  double foreground_iou = 0.7, background_iou = 0.3;
  int64_t sampled = 256;  // anchors of a picture that a step learns from
  double positive_fraction = 0.5;
  int64_t before_nms_training = 2000, after_nms_training = 2000;  // of a level; of all levels
  int64_t before_nms_test = 1000, after_nms_test = 1000;
  double nms_iou = 0.7;
  void fields(config::Fields& f);
};

/// Boxes, classes and masks of the proposals.
struct RoiHeadsOptions {
  bool masks = true;
  int64_t box_convolutions = 0;  // in front of the box head's linear layers; without any there are two of these
  int64_t box_dim = 1024;
  double foreground_iou = 0.5, background_iou = 0.5;
  int64_t sampled = 512;  // proposals of a picture that a step learns from
  double positive_fraction = 0.25;
  double score_threshold = 0.05, nms_iou = 0.5;
  int64_t detections = 100;                            // of a picture, at most
  double canonical_size = 224, canonical_stride = 16;  // a box of this side is pooled from the level of this stride
  void fields(config::Fields& f);
};

struct RcnnOptions {
  PyramidOptions pyramid;
  AnchorOptions anchors;
  RpnOptions rpn;
  RoiHeadsOptions heads;
  double norm_eps = 1e-5;  // of the backbone's norms; 0 in torchvision's COCO_V1 weights
  void fields(config::Fields& f);
};

/// Pictures of several sizes in one tensor, padded at the right and below.
struct PaddedImages {
  at::Tensor images;                          // [B, 3, H, W], normalised; the padding is 0
  std::vector<std::array<int64_t, 2>> sizes;  // [B]: height and width of each
};

/// What is true of one picture, in its padded one's pixels.
struct DetectionTargets {
  at::Tensor boxes;   // [n, 4]
  at::Tensor labels;  // [n] int64, from 1 on: 0 is the background
  at::Tensor masks;   // [n, h, w] bytes, the picture without its padding; undefined: there are no masks
};

/// What was found in one picture, the surest first.
struct DetectedObjects {
  at::Tensor boxes;   // [n, 4]
  at::Tensor labels;  // [n] int64, from 1 on
  at::Tensor scores;  // [n]
  at::Tensor masks;   // [n, 28, 28], probabilities inside the box; undefined without a mask head
};

using DetectionLosses = std::vector<std::pair<std::string, at::Tensor>>;

class RegionProposals;
class RoiHeads;

class Rcnn final : public torch::nn::Module {
 public:
  /// classes: without the background. First weights are a function of the seed; the backbone keeps its own. Registered
  /// are "backbone", "fpn", "rpn", "roi_heads". Throws UserError("", "objective.anchors.sizes", ...) where their number
  /// is not that of the pyramid's levels.
  Rcnn(std::shared_ptr<Backbone> backbone, int64_t classes, const RcnnOptions& options, uint64_t seed);

  /// torchvision's losses by its names: loss_objectness, loss_rpn_box_reg, loss_classifier, loss_box_reg, loss_mask.
  ///   path_scales: as the backbone takes them
  DetectionLosses losses(const PaddedImages& images, const std::vector<DetectionTargets>& targets,
                         const at::Tensor& path_scales = {});
  std::vector<DetectedObjects> detect(const PaddedImages& images);

  Backbone& backbone() { return *backbone_; }
  int64_t classes() const { return classes_; }

  /// count -> [count] numbers that decide which boxes are sampled; by default LibTorch's, of 0 to 1, on the features'
  /// device. For who replays another program's draws.
  std::function<at::Tensor(int64_t)> draw_keys;

 private:
  std::vector<FeatureLevel> features(const PaddedImages& images, const at::Tensor& path_scales = {});

  int64_t classes_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<Pyramid> pyramid_;
  std::shared_ptr<RegionProposals> rpn_;
  std::shared_ptr<RoiHeads> heads_;
};

}  // namespace freeatm::models
