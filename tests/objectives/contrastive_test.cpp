// SPDX-License-Identifier: Apache-2.0
// MoCo v3, SimCLR and BYOL, with and without regions, against PyTorch scripts (values:
// scripts/baselines/contrastive.py).
#include "freeatm/objectives/contrastive/contrastive.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/models/resnet.h"
#include "freeatm/objectives/contrastive/byol.h"
#include "freeatm/objectives/contrastive/moco_v3.h"
#include "freeatm/objectives/contrastive/simclr.h"
#include "freeatm/training/optimizer.h"
#include "freeatm/weights/load.h"

#include "models/hash_weights.h"
#include "nano.h"
#include "samples.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using testing::nano_backbone;
using testing::relative_difference;

ContrastiveOptions common(const std::string& regions = "none") {
  ContrastiveOptions options;
  options.hidden = 24;
  options.dimensions = 16;
  options.regions = regions;
  options.region.weight = 0.4;
  options.region.temperature = 0.15;
  options.augment.size = 32;
  return options;
}

std::shared_ptr<Contrastive> make(const std::string& method, ContrastiveOptions options) {
  if (method == "byol")
    return std::make_shared<Byol>(nano_backbone(1), nano_backbone(2), ByolOptions{.common = options}, 3);
  if (method == "simclr") {
    options.projector_layers = 3;
    return std::make_shared<SimClr>(nano_backbone(1), SimClrOptions{.temperature = 0.3, .common = options}, 3);
  }
  return std::make_shared<MocoV3>(nano_backbone(1), nano_backbone(2),
                                  MocoV3Options{.temperature = 0.3, .common = options}, 3);
}

const weights::TensorMap& stored() {
  static const auto loaded =
      weights::load_safetensors(testing::test_file("objectives/data/contrastive.safetensors")).tensors;
  return loaded;
}

data::Batch stored_batch() {
  data::Batch batch;
  for (const auto& [name, tensor] : stored()) {
    if (name.starts_with("view")) batch.tensors[name] = tensor;
    if (!name.starts_with("region") || name.ends_with(".rows")) continue;
    const at::Tensor& rows = stored().at("regions" + name.substr(name.size() - 1) + ".rows");
    batch.ragged[name] = {tensor, at::cat({at::zeros({1}, at::kLong), rows.cumsum(0)})};
  }
  batch.tensors["common"] = batch.tensors["pair"] = at::zeros({6}, at::kByte);
  return batch;
}

class AgainstPyTorch : public ::testing::TestWithParam<std::string> {
 protected:
  std::string method() const { return GetParam().substr(0, GetParam().find("_regions")); }
  std::shared_ptr<Contrastive> make_objective() const {
    auto objective = make(method(), common(GetParam().ends_with("_regions") ? "pooled" : "none"));
    testing::fill_with_hash(*objective, 0.3f);
    return objective;
  }
  const at::Tensor& expected(const std::string& name) const { return stored().at(GetParam() + "." + name); }
  static at::Tensor sampled(const at::Tensor& tensor) { return tensor.flatten().slice(0, 0, std::nullopt, 499); }
};

TEST_P(AgainstPyTorch, GivesTheSameLosses) {
  const auto objective = make_objective();
  const auto losses = objective->losses(stored_batch());
  EXPECT_EQ(losses.terms.size(), GetParam().ends_with("_regions") ? 2U : 1U);
  for (const auto& [name, loss, count] : losses.terms) {
    const training::Counts counts = objective->counts(stored_batch());
    ASSERT_EQ(count.defined(), counts.contains(name)) << name;
    if (count.defined()) {
      EXPECT_EQ(count.item<int64_t>(), counts.at(name)) << name;
    }
    const double value = expected("loss." + name).item<double>();
    EXPECT_NEAR(loss.item<double>(), value, 1e-5 * value) << name;
  }
  for (const auto& [name, observed, count] : losses.observed) {
    if (name != "embedding_std" && name != "effective_rank") continue;
    EXPECT_NEAR(observed.item<double>(), expected(name).item<double>(), 1e-4) << name;
  }
}

TEST_P(AgainstPyTorch, GivesTheSameGradients) {
  const auto objective = make_objective();
  objective->to(at::kDouble);
  objective->losses(stored_batch()).total().backward();
  int64_t compared = 0, there = 0;
  for (const auto& item : objective->named_parameters()) {
    if (item.key().starts_with("momentum_")) {
      EXPECT_FALSE(item.value().grad().defined()) << item.key();
      continue;
    }
    EXPECT_LE(relative_difference(sampled(item.value().grad()), expected("grad." + item.key())), 1e-9) << item.key();
    ++compared;
  }
  for (const auto& [name, tensor] : stored()) there += name.starts_with(GetParam() + ".grad.");
  EXPECT_EQ(compared, there);
}

TEST_P(AgainstPyTorch, IsAtTheSameWeightsAfterFiveStepsOfAdamW) {
  const auto objective = make_objective();
  objective->to(at::kDouble);
  const auto optimizer = training::make_optimizer({.weight_decay = 0.05}, objective->parameter_groups());
  optimizer->set_learning_rate(0.01);
  const data::Batch batch = stored_batch();
  for (int step = 0; step < 5; ++step) {
    optimizer->backward_and_step(objective->losses(batch).total());
    objective->after_step((step + 1) / 5.0);
  }
  for (const auto& item : objective->named_parameters())
    EXPECT_LE(relative_difference(sampled(item.value()), expected("after." + item.key())), 1e-6) << item.key();
}

INSTANTIATE_TEST_SUITE_P(Methods, AgainstPyTorch,
                         ::testing::Values("moco_v3", "moco_v3_regions", "simclr", "simclr_regions", "byol",
                                           "byol_regions"),
                         [](const auto& info) { return info.param; });

TEST(Contrastive, StartsWithEqualEncodersAndKeepsAtTheEnd) {
  const auto moco = make("moco_v3", common());
  const auto state = weights::module_state(*moco);
  for (const char* name : {"backbone.layer1.0.conv1.weight", "projector.0.weight"}) {
    EXPECT_TRUE(state.at(name).equal(state.at(format("momentum_{}", name)))) << name;
  }
  const at::Tensor before = state.at("momentum_projector.0.weight").clone();
  state.at("projector.0.weight").add_(1);
  moco->after_step(1.0);  // momentum 1
  EXPECT_TRUE(state.at("momentum_projector.0.weight").equal(before));
}

at::Tensor random_bytes(at::IntArrayRef shape) {
  RandomStream random(1, "bytes");
  at::Tensor bytes = at::empty(shape, at::kByte);
  for (int64_t i = 0; i < bytes.numel(); ++i) bytes.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(random.integer(256));
  return bytes;
}

TEST(Contrastive, SeesCollapse) {
  const auto moco = make("moco_v3", common());
  weights::module_state(*moco).at("predictor.0.weight").zero_();
  weights::module_state(*moco).at("predictor.1.bias").fill_(1);  // every picture gives the same prediction
  const at::Tensor pixels = random_bytes({4, 32, 32, 3}), kinds = at::zeros({4}, at::kByte);
  const auto losses = moco->losses({{{"view1", pixels}, {"view2", pixels}, {"common", kinds}, {"pair", kinds}}});
  ASSERT_EQ(losses.observed[0].name, "embedding_std");
  EXPECT_LT(losses.observed[0].value.item<double>(), 1e-3);
}

// A 32 x 40 picture with a thing, another thing and the place.
data::Sample sample_with_masks() {
  data::Sample sample;
  sample.image = vision::Image(32, 40);
  for (size_t i = 0; i < sample.image.pixels.size(); ++i) sample.image.pixels[i] = static_cast<uint8_t>(i * 7);
  testing::add_region(sample, "dog", text::Role::kThing, testing::rectangle(32, 40, {2, 8, 14, 16}));
  testing::add_region(sample, "apple", text::Role::kThing, testing::rectangle(32, 40, {22, 8, 14, 16}));
  testing::add_region(sample, "grass", text::Role::kStuff, testing::rectangle(32, 40, {}));
  return sample;
}

data::View view_of(const ContrastiveOptions& options, uint64_t index, data::Sample sample = sample_with_masks()) {
  RandomStream random(1, "view", 0, index);
  return make("moco_v3", options)->prepare(std::move(sample), random, 0.5);
}

TEST(Contrastive, PreparesTwoViewsAsAFunctionOfTheStream) {
  ContrastiveOptions options = common();
  options.augment.size = 24;
  const data::View a = view_of(options, 0), same = view_of(options, 0), other = view_of(options, 1);
  EXPECT_EQ(a.at("view1").sizes(), (std::vector<int64_t>{24, 24, 3}));
  EXPECT_TRUE(a.at("view1").equal(same.at("view1")));
  EXPECT_TRUE(a.at("view2").equal(same.at("view2")));
  EXPECT_FALSE(a.at("view1").equal(a.at("view2")));
  EXPECT_FALSE(a.at("view1").equal(other.at("view1")));
}

TEST(Contrastive, RegionsChangeNothingInTheViews) {
  for (uint64_t i = 0; i < 5; ++i) {
    const data::View plain = view_of(common(), i), with_regions = view_of(common("pooled"), i);
    EXPECT_TRUE(plain.at("view1").equal(with_regions.at("view1")));
    EXPECT_TRUE(plain.at("view2").equal(with_regions.at("view2")));
  }
}

TEST(Contrastive, RegionsShareTheCells) {
  for (uint64_t i = 0; i < 20; ++i) {
    const data::View view = view_of(common("pooled"), i);
    const at::Tensor& weights = view.ragged.at("regions1");
    const at::Tensor numbers = view.ragged.at("region_numbers1");
    ASSERT_EQ(weights.sizes().slice(1), (std::vector<int64_t>{4, 4}));
    ASSERT_EQ(weights.size(0), numbers.size(0));
    EXPECT_GE(weights.flatten(1).sum(1).min().item<double>(), 0.5);
    // The two things do not overlap: a cell is shared by what is there.
    EXPECT_LE(weights.sum(0).max().item<double>(), 1 + 1e-6);
    for (int64_t r = 0; r < numbers.size(0); ++r) EXPECT_LT(numbers[r].item<int64_t>(), 2) << "stuff is no region";
  }
}

TEST(Contrastive, ViewTwoShowsTheOtherBackground) {
  ContrastiveOptions options = common();
  options.background = "swap";
  data::Sample sample = sample_with_masks();
  sample.swapped = vision::Image(32, 40);  // black
  int64_t black = 0;
  const auto moco = make("moco_v3", options);
  for (uint64_t i = 0; i < 200; ++i) {
    RandomStream random(1, "view", 0, i);
    const data::View view = moco->prepare(data::Sample(sample), random, 0.5);
    EXPECT_GT(view.at("view1").max().item<int64_t>(), 0);
    black += view.at("view2").max().item<int64_t>() == view.at("view2").min().item<int64_t>();
  }
  EXPECT_NEAR(black / 200.0, 0.5, 5 * std::sqrt(0.25 / 200));
}

TEST(Contrastive, SaysWhetherTheViewsShareAThing) {
  data::Sample bare = sample_with_masks();
  bare.regions = {};
  EXPECT_EQ(view_of(common(), 0, bare).at("common").item<int64_t>(), 2);
  ContrastiveOptions options = common();
  options.crops = "mask";
  options.crop.mask_probability = 1;
  options.crop.tries = 1000;
  for (uint64_t i = 0; i < 20; ++i) EXPECT_EQ(view_of(options, i).at("common").item<int64_t>(), 1);
  EXPECT_USER_ERROR(view_of(options, 0, bare), "the picture has no masks");
  options.allow_missing = true;
  const auto fell_back = static_cast<int64_t>(PairKind::kFellBack);
  EXPECT_EQ(view_of(options, 0, bare).at("pair").item<int64_t>(), fell_back);
}

}  // namespace
}  // namespace freeatm::objectives
