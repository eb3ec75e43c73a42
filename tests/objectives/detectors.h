// SPDX-License-Identifier: Apache-2.0
// Small detectors and what they see.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/data/batch.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/detection/detection.h"

namespace freeatm::objectives {

inline DetectionOptions small_detection(bool masks = true) {
  DetectionOptions options;
  options.short_sides = {32};
  options.long_side = 64;
  options.rcnn.pyramid.channels = 8;
  options.rcnn.anchors.sizes = {8, 16, 32, 64};
  options.rcnn.heads.masks = masks;
  options.rcnn.heads.box_dim = 16;
  return options;
}

inline std::shared_ptr<models::Backbone> small_backbone() {
  auto model = std::make_shared<models::ResNet>(
      models::ResNetOptions{.depths = {1, 1, 1, 1}, .width = 8, .stem = "3x3", .output_stride = 8});
  model->initialize(0);
  return model;
}

inline std::shared_ptr<Detection> detector(const DetectionOptions& options, int64_t classes = 3) {
  return std::make_shared<Detection>(small_backbone(), classes, options, 1);
}

/// A picture of 30 x 40 whose left object is of class 0, its right one a crowd.
inline data::Sample two_objects() {
  data::Sample out;
  out.key = "0";
  out.image = vision::Image(30, 40);
  out.objects.resize(2);
  out.objects[0].box = {2, 5, 10, 20};
  out.objects[0].mask = vision::Rle::from_box(out.objects[0].box, 30, 40);
  out.objects[1] = out.objects[0];
  out.objects[1].is_crowd = true;
  return out;
}

inline data::Batch detection_batch(const Detection& model, std::vector<data::Sample> samples, uint64_t seed = 0) {
  std::vector<data::View> views;
  std::vector<std::string> keys;
  for (data::Sample& one : samples) {
    keys.push_back(one.key);
    RandomStream random(seed, "view", 0, views.size());
    views.push_back(model.prepare(std::move(one), random, 0));
  }
  return model.collate(std::move(views), keys);
}

inline DetectionOptions small_vitdet() {
  DetectionOptions options = small_detection();
  options.rcnn.anchors.sizes = {4, 8, 16, 32, 64};
  return options;
}

inline std::shared_ptr<Detection> vit_detector(const DetectionOptions& options) {
  auto vit = std::make_shared<models::ViT>(
      models::ViTOptions{.image_size = 32, .patch_size = 8, .dim = 16, .depth = 2, .heads = 2});
  vit->initialize(0);
  return std::make_shared<Detection>(vit, 3, options, 0);
}

inline double total_loss(Detection& model, const data::Batch& batch) {
  at::manual_seed(0);
  return model.losses(batch).total().item<double>();
}

}  // namespace freeatm::objectives
