// SPDX-License-Identifier: Apache-2.0
// Faster and Mask R-CNN against torchvision (values: scripts/baselines/rcnn.py).
#include "freeatm/models/detection/rcnn.h"

#include <cmath>
#include <set>

#include "freeatm/models/detection/detector_weights.h"
#include "freeatm/models/detection/images.h"
#include "freeatm/models/resnet.h"
#include "freeatm/weights/load.h"

#include "models/cases.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::Case;

constexpr int64_t kClasses = 5, kShort = 64, kLong = 90;

std::shared_ptr<Rcnn> rcnn_of(bool masks, int64_t version) {
  ResNetOptions body{.depths = {3, 4, 6, 3}, .block = "bottleneck", .norm = version == 1 ? "frozen" : "batch"};
  RcnnOptions options;
  options.heads.masks = masks, options.heads.sampled = 32, options.heads.detections = 30;
  options.rpn.sampled = 64;
  options.rpn.before_nms_training = options.rpn.before_nms_test = 200;
  options.rpn.after_nms_training = options.rpn.after_nms_test = 60;
  if (version == 2) {
    options.pyramid.norm = "batch";
    options.rpn.convolutions = 2;
    options.heads.box_convolutions = 4;
  }
  return std::make_shared<Rcnn>(std::make_shared<ResNet>(body), kClasses, options, 0);
}

std::vector<at::Tensor> pictures() {
  return {(testing::hash_tensor("picture0", {3, 90, 120}).to(at::kDouble) + 1) / 2,
          (testing::hash_tensor("picture1", {3, 100, 70}).to(at::kDouble) + 1) / 2};
}

at::Tensor normalized(const at::Tensor& image) {
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}, at::kDouble),
                   deviation = at::tensor({0.229, 0.224, 0.225}, at::kDouble);
  return (image - mean.view({3, 1, 1})) / deviation.view({3, 1, 1});
}

/// The ellipse in each box.
at::Tensor ellipses(const at::Tensor& boxes, int64_t height, int64_t width) {
  const auto column = [&](int64_t i) { return boxes.select(1, i).view({-1, 1, 1}); };
  const at::Tensor x = at::arange(width, at::kDouble).view({1, 1, -1}),
                   y = at::arange(height, at::kDouble).view({1, -1, 1});
  const at::Tensor dx = (x - (column(0) + column(2)) / 2) / ((column(2) - column(0)) / 2),
                   dy = (y - (column(1) + column(3)) / 2) / ((column(3) - column(1)) / 2);
  return (dx * dx + dy * dy <= 1).to(at::kByte);
}

struct Inputs {
  PaddedImages images;
  std::vector<DetectionTargets> targets;
};

Inputs inputs(bool masks, bool is_empty) {
  const std::vector<std::vector<double>> boxes{{10, 20, 50, 70, 60, 5, 115, 60, 30, 30, 44, 41}, {5, 40, 60, 95.5}};
  Inputs out;
  std::vector<at::Tensor> resized;
  for (size_t i = 0; i < boxes.size(); ++i) {
    const at::Tensor picture = pictures()[i];
    const std::array<int64_t, 2> own{picture.size(1), picture.size(2)};
    const auto size = detector_size(own[0], own[1], kShort, kLong);
    resized.push_back(resized_image(normalized(picture), size));
    DetectionTargets targets{at::tensor(boxes[i], at::kDouble).view({-1, 4}), {}, {}};
    if (is_empty) targets.boxes = at::zeros({0, 4}, at::kDouble);
    targets.labels = at::arange(targets.boxes.size(0), at::kLong).remainder(kClasses) + 1;
    if (masks) targets.masks = ellipses(targets.boxes, own[0], own[1]);
    out.targets.push_back(resized_targets(targets, own, size));
  }
  out.images = padded_images(resized);
  return out;
}

class RcnnAgainstTorchvision : public ::testing::TestWithParam<std::string> {
 protected:
  const Case reference = testing::case_named("rcnn", GetParam());
  const bool masks = reference.data.at("masks"), is_empty = reference.data.value("empty", false);
  std::shared_ptr<Rcnn> model = rcnn_of(masks, reference.data.at("version"));

  void SetUp() override {
    testing::fill_by_fan_in(*model);
    model->to(at::kDouble);
    model->draw_keys = [](int64_t count) { return testing::hash_tensor("keys", {count}); };
  }
};

class RcnnInEvaluation : public RcnnAgainstTorchvision {};  // which knows no objects

TEST_P(RcnnInEvaluation, FindsTheSame) {
  model->eval();
  const auto found = model->detect(inputs(masks, false).images);
  for (size_t i = 0; i < found.size(); ++i) {
    const auto expected = [&](const char* name) { return reference.values.at(name + std::to_string(i)); };
    EXPECT_LE(testing::worst(found[i].boxes, expected("boxes")), 1e-6);
    EXPECT_LE(testing::worst(found[i].scores, expected("scores")), 1e-6);
    EXPECT_EQ(testing::worst(found[i].labels, expected("labels")), 0);
    EXPECT_EQ(found[i].masks.defined(), masks);
    if (masks) {
      EXPECT_LE(testing::worst(found[i].masks, expected("masks")), 1e-6);
    }
  }
}

TEST_P(RcnnAgainstTorchvision, LearnsTheSame) {
  model->train();
  const auto [images, targets] = inputs(masks, is_empty);
  at::Tensor total = at::zeros({}, at::kDouble);
  for (const auto& [name, loss] : model->losses(images, targets)) {
    EXPECT_NEAR(loss.item<double>(), reference.values.at(name).item<double>(), 1e-6) << name;
    total = total + loss;
  }
  total.backward();
  EXPECT_LE(testing::worst_gradient(*model, {}, reference.values.at("gradients")), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Models, RcnnInEvaluation, ::testing::Values("faster", "mask", "faster_v2", "mask_v2"),
                         [](const auto& info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(Models, RcnnAgainstTorchvision,
                         ::testing::Values("faster", "mask", "mask_without_objects", "faster_v2", "mask_v2"),
                         [](const auto& info) { return info.param; });

/// A file with these names and shapes, every value 0.
weights::TensorMap file_of(const nlohmann::json& names) {
  weights::TensorMap file;
  for (const auto& [name, shape] : names.items())
    file.emplace(name, at::zeros({}).expand(shape.get<std::vector<int64_t>>()));
  return file;
}

TEST(DetectorFile, OfTorchvisionIsWholeUnderItsNamesOfTodayAndOfItsFiles) {
  const auto table = nlohmann::json::parse(read_file(testing::test_file("models/data/rcnn_names.json")));
  for (const auto& [key, names] : table.items()) {
    for (const char* kind : {"file", "state"}) {
      const weights::TensorMap file = file_of(names.at(kind));
      ASSERT_TRUE(is_detector(file));
      const DetectorFile detector = detector_file(file);
      RcnnOptions options;
      fit_to_file(options, detector);
      EXPECT_EQ(detector.classes, kClasses);
      EXPECT_EQ(options.heads.masks, key.starts_with("mask"));
      EXPECT_EQ(options.norm_eps, key.ends_with("v1") ? 0 : 1e-5) << key;
      const ResNetOptions body{.depths = {3, 4, 6, 3}, .block = "bottleneck"};
      const Rcnn model(std::make_shared<ResNet>(body), detector.classes, options, 0);
      std::set<std::string> own, given;
      for (const auto& [name, tensor] : weights::module_state(model)) {
        if (name.ends_with("num_batches_tracked")) continue;
        own.insert(name);
        const auto found = detector.tensors.find(name);
        ASSERT_NE(found, detector.tensors.end()) << key << ": " << name;
        EXPECT_EQ(found->second.sizes(), tensor.sizes()) << name;
      }
      for (const auto& [name, tensor] : detector.tensors) {
        if (!name.ends_with("num_batches_tracked")) given.insert(name);
      }
      EXPECT_EQ(own, given) << key;
    }
  }
}

TEST(DetectorFile, OfABackboneIsNone) { EXPECT_FALSE(is_detector({{"conv1.weight", at::zeros({1})}})); }

TEST(Norm, OfACocoV1FileHasNoEpsilon) {  // odd case 13: variance 1e-5, scale 1, input 1
  const auto output = [](double eps) {
    Norm norm(1, NormOptions{NormKind::kFrozen});
    norm->named_buffers()["running_var"].fill_(1e-5);
    norm->set_eps(eps);
    norm->to(at::kDouble);
    return norm(at::ones({1, 1, 1, 1}, at::kDouble)).item<double>();
  };
  EXPECT_NEAR(output(0), 316.2278, 1e-3);
  EXPECT_NEAR(output(1e-5), 223.6068, 1e-3);
}

TEST(DetectorSize, IsTheShorterSidesUnlessTheLongerWouldBeTooLong) {
  EXPECT_EQ(detector_size(480, 640, 800, 1333), (std::array<int64_t, 2>{800, 1066}));
  EXPECT_EQ(detector_size(300, 900, 800, 1333), (std::array<int64_t, 2>{444, 1333}));
}

}  // namespace
}  // namespace freeatm::models
