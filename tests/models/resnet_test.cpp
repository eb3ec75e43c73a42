// SPDX-License-Identifier: Apache-2.0
// ResNet against torchvision and timm (values: scripts/baselines/resnet.py).
#include "freeatm/models/resnet.h"

#include <cmath>

#include "models/backbone_cases.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::Case;

const ResNetOptions kNano{.depths = {1, 1, 1, 1}, .width = 16, .stem = "3x3", .output_stride = 8};

class ResNetAgainstPython : public ::testing::TestWithParam<std::string> {
 protected:
  const Case reference = testing::case_named("resnet", GetParam());
  ResNet model{testing::options_of<ResNetOptions>(reference)};
  at::Tensor images = testing::images_of(reference), scales;

  void SetUp() override {
    testing::fill_with_hash(model, 0.1f);
    scales = testing::path_scales_of(reference);
  }
};

TEST_P(ResNetAgainstPython, GivesTheSameFeaturesInBothModes) {
  const at::NoGradGuard no_grad;
  model.eval();
  EXPECT_LE(testing::worst(model.forward(images, scales), reference.values.at("eval_features")), 1e-5);
  model.train();
  model.to(at::kDouble);  // batch statistics of two pictures are ill-conditioned
  const Features both = model.features(images.to(at::kDouble), scales);
  EXPECT_LE(testing::worst(both.grid, reference.values.at("grid")), 1e-9);
  EXPECT_LE(testing::worst(both.pooled, reference.values.at("features")), 1e-9);
  EXPECT_EQ(both.pooled.size(1), model.channels());
}

TEST_P(ResNetAgainstPython, GivesTheSameGradients) {
  model.to(at::kDouble);
  const at::Tensor features = model.forward(images.to(at::kDouble), scales);
  EXPECT_LE(testing::worst(features, reference.values.at("features")), 1e-9);
  (features * testing::hash_tensor("loss", features.sizes())).sum().backward();
  EXPECT_LE(testing::worst_gradient(model, {}, reference.values.at("gradients")), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Models, ResNetAgainstPython,
                         ::testing::Values("resnet18", "resnet34", "resnet50", "resnet50_dilated", "resnet18_cifar",
                                           "resnet10_nano", "resnet10_nano_paths"),
                         [](const auto& info) { return info.param; });

TEST(ResNet, HasTheNamesOfTimmAndTorchvision) {
  for (const std::string name : {"resnet18", "resnet34", "resnet50"}) {
    const ResNet model(testing::options_of<ResNetOptions>(testing::case_named("resnet", name)));
    testing::expect_names(model, name);
  }
}

TEST(ResNet, FirstWeightsAreAFunctionOfTheSeed) {
  ResNet a(kNano), b(kNano), c(kNano);
  a.initialize(1);
  b.initialize(1);
  c.initialize(2);
  const auto first = a.named_parameters(), same = b.named_parameters(), other = c.named_parameters();
  for (const auto& item : first) EXPECT_TRUE(item.value().equal(same[item.key()])) << item.key();
  const at::Tensor& weight = first["layer4.0.conv2.weight"];
  EXPECT_FALSE(weight.equal(other["layer4.0.conv2.weight"]));
  EXPECT_NEAR(weight.std().item<double>(), std::sqrt(2.0 / (128 * 9)), 1e-3);
  EXPECT_EQ(first["layer4.0.bn2.weight"].abs().max().item<double>(), 0);
  EXPECT_EQ(first["layer4.0.bn1.weight"].min().item<double>(), 1);
}

TEST(ResNet, StartsEveryBottleneckAsTheIdentity) {
  ResNet model({.depths = {2}, .block = "bottleneck", .width = 4, .stem = "cifar"});
  model.initialize(1);
  const auto parameters = model.named_parameters();
  EXPECT_EQ(parameters["layer1.1.bn3.weight"].abs().max().item<double>(), 0);
  EXPECT_EQ(parameters["layer1.1.bn2.weight"].min().item<double>(), 1);
}

TEST(ResNet, EveryOutputStrideIsThatOfItsGrid) {
  for (const int64_t stride : {4, 8, 16, 32}) {
    for (const std::string stem : {"7x7", "3x3", "cifar"}) {
      ResNet model({.depths = {1, 1, 1, 1}, .width = 2, .stem = stem, .output_stride = stride});
      const int64_t least = stem == "7x7" ? 32 : stem == "3x3" ? 16 : 8;  // what four stages make without dilation
      EXPECT_EQ(model.forward_features(at::zeros({1, 3, 64, 96})).sizes(),
                (std::vector<int64_t>{1, 16, 64 / std::min(stride, least), 96 / std::min(stride, least)}))
          << stem << " " << stride;
      const auto shapes = model.levels();
      const auto levels = model.forward_levels(at::zeros({1, 3, 64, 96}));
      ASSERT_EQ(levels.size(), 4u);
      for (size_t i = 0; i < levels.size(); ++i) {
        EXPECT_EQ(levels[i].stride, shapes[i].stride) << i;
        EXPECT_EQ(levels[i].tensor.sizes(),
                  (std::vector<int64_t>{1, shapes[i].channels, 64 / shapes[i].stride, 96 / shapes[i].stride}))
            << stem << " " << stride << " level " << i;
      }
    }
  }
}

TEST(ResNet, GivesTheLevelsThatDetectorsTake) {
  ResNet model({.depths = {1, 2, 1, 1}, .block = "bottleneck", .width = 4});
  EXPECT_EQ(model.levels(), (std::vector<LevelShape>{{16, 4}, {32, 8}, {64, 16}, {128, 32}}));
  EXPECT_EQ(model.channels(), 128);
  testing::fill_with_hash(model, 0.1f);
  model.eval();
  const at::Tensor images = testing::hash_tensor("images", {1, 3, 65, 40});
  const auto levels = model.forward_levels(images);
  EXPECT_EQ(levels[0].tensor.sizes(), (std::vector<int64_t>{1, 16, 17, 10})) << "sides are rounded up";
  EXPECT_TRUE(levels.back().tensor.equal(model.forward_features(images)));
  EXPECT_TRUE(levels.back().tensor.mean({2, 3}).equal(model.forward(images)));
}

}  // namespace
}  // namespace freeatm::models
