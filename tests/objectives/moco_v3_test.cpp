// SPDX-License-Identifier: Apache-2.0
// MoCo v3 against a PyTorch script (values: scripts/baselines/moco.py).
#include "freeatm/objectives/moco_v3.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/models/resnet.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/weights/load.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

const models::ResNetOptions kNano{.depths = {1, 1, 1, 1}, .width = 16, .stem = "3x3", .output_stride = 8};

std::shared_ptr<MocoV3> make(MocoV3Options options = {}) {
  options.hidden = 24;
  options.dimensions = 16;
  options.temperature = 0.3;
  const auto backbone = std::make_shared<models::ResNet>(kNano), momentum = std::make_shared<models::ResNet>(kNano);
  backbone->initialize(1);
  momentum->initialize(2);
  return std::make_shared<MocoV3>(backbone, momentum, options, 3);
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max().clamp_min(1e-12)).item<double>();
}

class MocoV3AgainstPyTorch : public ::testing::Test {
 protected:
  const weights::TensorMap values =
      weights::load_safetensors(testing::test_file("objectives/data/moco_v3.safetensors")).tensors;
  const data::Batch batch{{{"view1", values.at("view1")}, {"view2", values.at("view2")}}};
  std::shared_ptr<MocoV3> moco = make();

  void SetUp() override { testing::fill_with_hash(*moco, 0.3f); }
};

TEST_F(MocoV3AgainstPyTorch, GivesTheSameLoss) {
  const training::Losses losses = moco->losses(batch);
  EXPECT_NEAR(losses.total().item<double>(), values.at("loss").item<double>(), 1e-5 * values.at("loss").item<double>());
  EXPECT_EQ(losses.observed[0].first, "embedding_std");
  EXPECT_NEAR(losses.observed[0].second.item<double>(), values.at("embedding_std").item<double>(), 1e-5);
}

TEST_F(MocoV3AgainstPyTorch, GivesTheSameGradients) {
  moco->to(at::kDouble);
  moco->losses(batch).total().backward();
  int compared = 0;
  for (const auto& item : moco->named_parameters()) {
    if (item.key().starts_with("momentum_")) {
      EXPECT_FALSE(item.value().grad().defined()) << item.key();
      continue;
    }
    const at::Tensor sampled = item.value().grad().flatten().slice(0, 0, std::nullopt, 97);
    EXPECT_LE(relative_difference(sampled, values.at("grad." + item.key())), 1e-9) << item.key();
    ++compared;
  }
  EXPECT_EQ(compared, 44);
}

TEST_F(MocoV3AgainstPyTorch, MovesTheMomentumEncoderAlike) {
  moco->after_step(0.25);
  for (const auto& item : moco->named_parameters()) {
    if (!item.key().starts_with("momentum_")) continue;
    const at::Tensor sampled = item.value().flatten().slice(0, 0, std::nullopt, 97);
    EXPECT_LE(relative_difference(sampled, values.at("updated." + item.key())), 1e-6) << item.key();
  }
}

TEST(MocoV3, StartsWithEqualEncodersAndKeepsAtTheEnd) {
  const auto moco = make();
  const auto state = weights::module_state(*moco);
  for (const char* name : {"backbone.layer1.0.conv1.weight", "projector.0.weight"}) {
    EXPECT_TRUE(state.at(name).equal(state.at(format("momentum_{}", name)))) << name;
  }
  const at::Tensor before = state.at("momentum_projector.0.weight").clone();
  state.at("projector.0.weight").add_(1);
  moco->after_step(1.0);  // momentum 1
  EXPECT_TRUE(state.at("momentum_projector.0.weight").equal(before));
}

TEST(MocoV3, SeesCollapse) {
  const auto moco = make();
  weights::module_state(*moco).at("predictor.0.weight").zero_();
  weights::module_state(*moco).at("predictor.1.bias").fill_(1);  // every picture gives the same prediction
  RandomStream random(1, "bytes");
  at::Tensor pixels = at::empty({4, 32, 32, 3}, at::kByte);
  for (int64_t i = 0; i < pixels.numel(); ++i)
    pixels.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(random.integer(256));
  EXPECT_LT(moco->losses({{{"view1", pixels}, {"view2", pixels}}}).observed[0].second.item<double>(), 1e-3);
}

TEST(MocoV3, PreparesTwoViewsAsAFunctionOfTheStream) {
  MocoV3Options options;
  options.augment.size = 24;
  const auto moco = make(options);
  const auto view = [&](uint64_t index) {
    data::Sample sample;
    sample.image = vision::Image(32, 40);
    for (size_t i = 0; i < sample.image.pixels.size(); ++i) sample.image.pixels[i] = static_cast<uint8_t>(i * 7);
    RandomStream random(1, "view", 0, index);
    return moco->prepare(std::move(sample), random, 0.5);
  };
  const data::View a = view(0), same = view(0), other = view(1);
  EXPECT_EQ(a.at("view1").sizes(), (std::vector<int64_t>{24, 24, 3}));
  EXPECT_TRUE(a.at("view1").equal(same.at("view1")));
  EXPECT_TRUE(a.at("view2").equal(same.at("view2")));
  EXPECT_FALSE(a.at("view1").equal(a.at("view2")));
  EXPECT_FALSE(a.at("view1").equal(other.at("view1")));
}

}  // namespace
}  // namespace freeatm::objectives
