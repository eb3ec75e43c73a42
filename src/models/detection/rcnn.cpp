// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/detection/rcnn.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/models/norm.h"

#include "roi_heads.h"
#include "rpn.h"

namespace freeatm::models {

void RcnnOptions::fields(config::Fields& f) {
  f.group("pyramid", pyramid);
  f.group("anchors", anchors);
  f.group("rpn", rpn);
  f.group("heads", heads);
  f("norm_eps", norm_eps, "of the backbone's norms; 0 in torchvision's COCO_V1 weights", config::between(0, 0.1));
}

Rcnn::Rcnn(std::shared_ptr<Backbone> backbone, int64_t classes, const RcnnOptions& options, uint64_t seed)
    : classes_(classes), backbone_(std::move(backbone)), pyramid_(make_pyramid(backbone_->levels(), options.pyramid)) {
  AnchorOptions anchors = options.anchors;
  if (anchors.sizes.empty()) {
    for (const LevelShape& level : pyramid_->levels()) anchors.sizes.push_back(8 * static_cast<double>(level.stride));
  }
  if (anchors.sizes.size() != pyramid_->levels().size())
    throw UserError("", "objective.anchors.sizes", "has {} sizes; this backbone's pyramid has {} levels",
                    anchors.sizes.size(), pyramid_->levels().size());
  register_module("backbone", backbone_);
  register_module("fpn", pyramid_);
  rpn_ = register_module("rpn", std::make_shared<RegionProposals>(options.rpn, anchors, options.pyramid));
  heads_ = register_module("roi_heads", std::make_shared<RoiHeads>(options.heads, options.pyramid, classes + 1));
  pyramid_->initialize(stable_hash("fpn", seed));
  rpn_->initialize(stable_hash("rpn", seed));
  heads_->initialize(stable_hash("roi_heads", seed));
  for (const auto& module : backbone_->modules()) {
    if (auto* norm = module->as<NormImpl>()) norm->set_eps(options.norm_eps);
  }
}

std::vector<FeatureLevel> Rcnn::features(const PaddedImages& images, const at::Tensor& path_scales) {
  return pyramid_->forward(backbone_->forward_levels(images.images, path_scales));
}

DetectionLosses Rcnn::losses(const PaddedImages& images, const std::vector<DetectionTargets>& targets,
                             const at::Tensor& path_scales) {
  std::vector<FeatureLevel> levels = features(images, path_scales);
  const auto draw = draw_keys ? draw_keys : [&images](int64_t count) {
    return at::rand({count}, at::device(images.images.device()).dtype(at::kFloat));
  };
  const auto predictions = rpn_->predict(levels, images.images.size(2), images.images.size(3));
  DetectionLosses losses = rpn_->losses(predictions, targets, draw);
  const std::vector<at::Tensor> proposals = rpn_->proposals(predictions, images);
  levels.pop_back();
  for (auto& loss : heads_->losses(levels, proposals, targets, draw)) losses.push_back(std::move(loss));
  return losses;
}

std::vector<DetectedObjects> Rcnn::detect(const PaddedImages& images) {
  const at::NoGradGuard no_grad;
  std::vector<FeatureLevel> levels = features(images);
  const auto proposals = rpn_->proposals(rpn_->predict(levels, images.images.size(2), images.images.size(3)), images);
  levels.pop_back();
  return heads_->detect(levels, proposals, images);
}

}  // namespace freeatm::models
