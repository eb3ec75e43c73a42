// SPDX-License-Identifier: Apache-2.0
// Detectors as they are trained: what learns, and where they start. Views: detection_views_test.cpp. The model itself
// is judged in tests/models/rcnn_test.cpp.
#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/objectives/detection/trained.h"
#include "freeatm/weights/load.h"

#include "detectors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

TEST(Detection, PicturesOfSeveralSizesMakeABatch) {
  const auto model = detector(small_detection());
  data::Sample tall = two_objects(), empty = two_objects();
  tall.image = vision::Image(40, 30);
  tall.objects[0].mask = vision::Rle::from_box(tall.objects[0].box, 40, 30);
  empty.objects.clear();
  const data::Batch batch = detection_batch(*model, {two_objects(), tall, empty});
  EXPECT_EQ(batch.ragged.at("boxes").values.size(0), 2);
  at::manual_seed(0);
  const training::Losses losses = model->losses(batch);
  std::set<std::string> names;
  for (const auto& term : losses.terms) {
    names.insert(term.name);
    EXPECT_TRUE(std::isfinite(term.value.item<double>())) << term.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg",
                                          "loss_mask"}));
}

TEST(Detection, APictureWithoutObjectsTeachesThatThereAreNone) {  // odd case 6
  const auto model = detector(small_detection());
  data::Sample empty = two_objects();
  empty.objects.clear();
  const training::Losses losses = model->losses(detection_batch(*model, {empty}));
  for (const auto& term : losses.terms) {
    const bool needs_objects = term.name.ends_with("box_reg") || term.name == "loss_mask";
    EXPECT_EQ(term.value.item<double>() == 0, needs_objects) << term.name;
  }
  losses.total().backward();
  for (const auto& item : model->named_parameters()) {
    const Tensor gradient = item.value().grad();
    EXPECT_TRUE(!gradient.defined() || gradient.isfinite().all().item<bool>()) << item.key();
  }
}

TEST(Detection, WithoutMasksInTheDataSaysSo) {
  data::Sample boxes_alone = two_objects();
  boxes_alone.objects[0].mask.reset();
  RandomStream random(0, "view");
  EXPECT_USER_ERROR(detector(small_detection())->prepare(data::Sample(boxes_alone), random, 0),
                    "objective.heads.masks");
  EXPECT_NO_THROW(detector(small_detection(false))->prepare(std::move(boxes_alone), random, 0));
}

TEST(Detection, FrozenStagesAreNotTrained) {
  for (const int64_t frozen : {0, 1, 2}) {
    DetectionOptions options = small_detection();
    options.frozen_stages = frozen;
    const auto model = detector(options);
    std::set<std::string> trained;
    for (const auto& group : model->parameter_groups()) {
      for (const auto& [name, value] : group.parameters) trained.insert(name);
    }
    EXPECT_EQ(trained.contains("backbone.conv1.weight"), frozen < 1);
    EXPECT_EQ(trained.contains("backbone.bn1.bias"), frozen < 1);
    EXPECT_EQ(trained.contains("backbone.layer1.0.conv1.weight"), frozen < 2);
    EXPECT_TRUE(trained.contains("backbone.layer2.0.conv1.weight"));
    EXPECT_TRUE(trained.contains("fpn.inner_blocks.0.0.weight"));
  }
}

TEST(Detection, LearnsOnePicture) {
  DetectionOptions options = small_detection();
  options.flip_probability = 0;
  options.rcnn.rpn.sampled = options.rcnn.heads.sampled = 32;
  const auto model = detector(options);
  data::Sample one = two_objects();
  for (int y = 5; y < 25; ++y) std::fill_n(one.image.row(y) + 3 * 2, 3 * 10, uint8_t{255});
  const data::Batch batch = detection_batch(*model, {one});
  torch::autograd::GradMode::set_enabled(true);
  std::vector<Tensor> parameters;
  for (const auto& group : model->parameter_groups()) {
    for (const auto& [name, value] : group.parameters) parameters.push_back(value);
  }
  for (int step = 0; step < 60; ++step) {
    at::manual_seed(step);
    for (Tensor& parameter : parameters) parameter.mutable_grad() = Tensor();
    model->losses(batch).total().backward();
    const at::NoGradGuard no_grad;
    for (Tensor& parameter : parameters) {
      if (parameter.grad().defined()) parameter.sub_(parameter.grad().sign(), 2e-3);
    }
  }
  model->eval();
  const auto found = model->detect(std::span(&one, 1)).at(0);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].category, 0);
  EXPECT_GT(vision::iou(found[0].box, one.objects[0].box), 0.6);
  EXPECT_GT(vision::iou(*found[0].mask, *one.objects[0].mask), 0.6);
}

TEST(Detection, OverAPlainTransformerHasASimplePyramid) {
  DetectionOptions options = small_vitdet();
  const auto model = vit_detector(options);
  EXPECT_TRUE(std::isfinite(total_loss(*model, detection_batch(*model, {two_objects()}))));
  options.rcnn.anchors.sizes = {8};
  EXPECT_USER_ERROR(vit_detector(options), "has 1 sizes; this backbone's pyramid has 5 levels");
}

Pretrained whole_detector(const Detection& model) {
  Pretrained start;
  for (const auto& [name, tensor] : weights::module_state(model)) start.tensors.emplace(name, tensor.clone());
  start.model = models::ModelOptions("resnet");
  start.where = "whole";
  return start;
}

TEST(Detection, OfAWholeDetectorAllIsTakenButThePredictorsOfOtherClasses) {
  DetectionOptions options = small_detection();
  options.rcnn.anchors.sizes = {8, 16, 32, 64, 128};  // a ResNet-18's pyramid has five levels
  const auto from = std::make_shared<Detection>(models::ModelOptions("resnet").make(5), 3, options, 7);
  const Pretrained start = whole_detector(*from);
  for (const int64_t classes : {3, 5}) {
    ::testing::internal::CaptureStderr();
    const auto to = detection_from(start, classes, options, 99);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(testing::contains(said, "starts anew: roi_heads.box_predictor.bbox_pred.bias"), classes != 3) << said;
    const auto state = weights::module_state(*to);
    for (const auto& [name, tensor] : start.tensors) {
      const bool is_predictor = testing::contains(name, "box_predictor") || testing::contains(name, "mask_fcn_logits");
      if (is_predictor && classes != 3) {
        EXPECT_FALSE(state.at(name).sizes() == tensor.sizes()) << name;
      } else {
        EXPECT_TRUE(state.at(name).equal(tensor)) << name;
      }
    }
  }
}

TEST(Detection, PicturesThatAreTooLargeForTheMemoryAreNamed) {
  DetectionOptions options = small_detection();
  options.test_short_side = options.long_side = 4'000'000;  // 120 terabytes
  const auto model = detector(options);
  model->eval();
  const data::Sample one = two_objects();
  EXPECT_USER_ERROR(model->detect(std::span(&one, 1)),
                    "memory does not suffice for 1 pictures of up to 4000000x3000000");
}

TEST(Detection, FrozenNormsNeedWeights) {
  config::Node tree{config::Node::Map()};
  tree.set("norm", config::Node(std::string("frozen")));
  const auto frozen = config::read<models::ModelOptions>({.command = "test", .tree = tree});
  EXPECT_USER_ERROR(new_detection(frozen, 3, small_detection(), 0), "model.norm: frozen does nothing");
}

}  // namespace
}  // namespace freeatm::objectives
