// SPDX-License-Identifier: Apache-2.0
// ResNet against torchvision and timm (values: scripts/baselines/resnet.py).
#include "freeatm/models/resnet.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::test_file;

const ResNetOptions kNano{.depths = {1, 1, 1, 1}, .width = 16, .stem = "3x3", .output_stride = 8};

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

struct Case {
  const char* file;
  ResNetOptions options;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.file; }
};

class ResNetAgainstPython : public ::testing::TestWithParam<Case> {
 protected:
  const weights::TensorMap values =
      weights::load_safetensors(test_file(std::string("models/data/") + GetParam().file)).tensors;
  ResNet model{GetParam().options};

  void SetUp() override { testing::fill_with_hash(model, 0.1f); }
};

TEST_P(ResNetAgainstPython, GivesTheSameFeaturesInBothModes) {
  const at::NoGradGuard no_grad;
  const at::Tensor images = values.at("images").to(at::kFloat);
  model.eval();
  EXPECT_LE(relative_difference(model.forward(images), values.at("eval_features")), 1e-5);
  model.train();
  EXPECT_LE(relative_difference(model.forward_features(images), values.at("grid")), 1e-5);
  EXPECT_EQ(model.forward(images).size(1), model.channels());
}

TEST_P(ResNetAgainstPython, GivesTheSameGradients) {  // in fp64: batch statistics of two pictures are ill-conditioned
  model.to(at::kDouble);
  const at::Tensor features = model.forward(values.at("images"));
  EXPECT_LE(relative_difference(features, values.at("features")), 1e-12);
  (features * testing::hash_tensor("loss", features.sizes())).sum().backward();
  for (const auto& item : model.named_parameters()) {
    const at::Tensor sampled = item.value().grad().flatten().slice(0, 0, std::nullopt, 997);
    EXPECT_LE(relative_difference(sampled, values.at("grad." + item.key())), 1e-9) << item.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ResNetAgainstPython,
                         ::testing::Values(Case{"resnet18.safetensors", {}}, Case{"resnet10_nano.safetensors", kNano}),
                         [](const auto& info) {
                           return std::string(info.param.file).substr(0, std::string(info.param.file).find('.'));
                         });

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
}

TEST(Backbone, NormalizesBytesAsTorchvisionDoes) {
  const at::Tensor pixels = at::arange(256).to(at::kByte).view({1, 256, 1, 1}).expand({1, 256, 1, 3});
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}).view({1, 3, 1, 1}),
                   deviation = at::tensor({0.229, 0.224, 0.225}).view({1, 3, 1, 1});
  const at::Tensor expected = (pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 255 - mean) / deviation;
  EXPECT_LE((normalized(pixels) - expected).abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace freeatm::models
