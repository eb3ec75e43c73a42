// SPDX-License-Identifier: Apache-2.0
// Both losses against a PyTorch script (values: scripts/baselines/classification.py), and the views.
#include "freeatm/objectives/classification/classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/data/pixels.h"
#include "freeatm/models/resnet.h"
#include "freeatm/weights/load.h"

#include "models/hash_weights.h"
#include "nano.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using testing::nano_classifier;
using testing::relative_difference;

std::shared_ptr<Classification> classifier(const std::string& loss, double min_scale = 0.5, int64_t size = 32) {
  ClassificationOptions options;
  options.loss = loss;
  options.min_scale = min_scale;
  options.augment.size = size;
  return nano_classifier(options);
}

class ClassificationAgainstPyTorch : public ::testing::TestWithParam<std::string> {
 protected:
  const weights::TensorMap values =
      weights::load_safetensors(testing::test_file("objectives/data/classification.safetensors")).tensors;
  const data::Batch batch{{{"image", values.at("image")}, {"target", values.at(GetParam() + ".target")}}};
  std::shared_ptr<Classification> model = classifier(GetParam());

  void SetUp() override { testing::fill_with_hash(*model, 0.3f); }
};

TEST_P(ClassificationAgainstPyTorch, GivesTheSameLoss) {
  const training::Losses losses = model->losses(batch);
  const double expected = values.at(GetParam() + ".loss").item<double>();
  EXPECT_EQ(losses.terms[0].name, GetParam());
  EXPECT_NEAR(losses.total().item<double>(), expected, 1e-5 * expected);
}

TEST_P(ClassificationAgainstPyTorch, GivesTheSameGradients) {
  model->to(at::kDouble);
  model->losses(batch).total().backward();
  int compared = 0;
  for (const auto& item : model->named_parameters()) {
    const at::Tensor sampled = item.value().grad().flatten().slice(0, 0, std::nullopt, 97);
    EXPECT_LE(relative_difference(sampled, values.at(GetParam() + ".grad." + item.key())), 1e-9) << item.key();
    ++compared;
  }
  EXPECT_EQ(compared, 38);
}

INSTANTIATE_TEST_SUITE_P(Losses, ClassificationAgainstPyTorch,
                         ::testing::Values("cross_entropy", "binary_cross_entropy"),
                         [](const auto& parameter) { return parameter.param; });

vision::Image picture(int height, int width, int seed = 0) {
  vision::Image image(height, width);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i * 7 + seed * i * i);
  return image;
}

TEST(Classification, StartsAsAFunctionOfTheSeed) {
  const auto state = weights::module_state(*classifier("cross_entropy")),
             same = weights::module_state(*classifier("cross_entropy"));
  for (const auto& [name, tensor] : state) EXPECT_TRUE(tensor.equal(same.at(name))) << name;
}

TEST(Classification, JudgesAPictureByItselfInEvaluationMode) {
  const auto values =
      weights::load_safetensors(testing::test_file("objectives/data/classification.safetensors")).tensors;
  const auto model = classifier("binary_cross_entropy");
  testing::fill_with_hash(*model, 0.3f);
  model->eval();
  std::vector<data::Sample> samples(values.at("image").size(0));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i].image = vision::Image(32, 32);
    const at::Tensor pixels = values.at("image")[static_cast<int64_t>(i)].contiguous();
    std::copy_n(pixels.data_ptr<uint8_t>(), pixels.numel(), samples[i].image.pixels.begin());
  }
  EXPECT_LE(relative_difference(model->logits(samples), values.at("logits")), 1e-5);
  EXPECT_LE(relative_difference(model->logits(std::span(samples).first(1)), values.at("logits").narrow(0, 0, 1)), 1e-5);
}

TEST(Classification, PreparesAsAFunctionOfTheStream) {
  const auto model = classifier("binary_cross_entropy", 0.5, 24);
  const auto view = [&](uint64_t index) {
    data::Sample sample;
    sample.image = picture(32, 40);
    sample.labels = {1, 4};
    RandomStream random(1, "view", 0, index);
    return model->prepare(std::move(sample), random, 0.5);
  };
  const data::View a = view(0), same = view(0), other = view(1);
  EXPECT_EQ(a.at("image").sizes(), (std::vector<int64_t>{24, 24, 3}));
  EXPECT_TRUE(a.at("image").equal(same.at("image")));
  EXPECT_FALSE(a.at("image").equal(other.at("image")));
  EXPECT_TRUE(a.at("target").equal(at::tensor({0., 1., 0., 0., 1., 0., 0.}, at::kFloat)));
}

TEST(Classification, RandAugmentComesBehindTheCropAndDisturbsNoOtherDraw) {
  ClassificationOptions options{.loss = "cross_entropy", .min_scale = 0.5};
  options.augment.size = 24;
  const auto plain = nano_classifier(options);
  options.rand_augment.operations = 2;
  const auto augmented = nano_classifier(options);
  int changed = 0;
  for (uint64_t index = 0; index < 40; ++index) {
    const RandomStream random(1, "view", 0, index);
    const auto view_of = [&](const Classification& model) {
      data::Sample sample;
      sample.image = picture(32, 40);
      sample.labels = {0};
      RandomStream own = random;
      return model.prepare(std::move(sample), own, 0).at("image");
    };
    const at::Tensor before = view_of(*plain), after = view_of(*augmented);
    vision::Image expected(24, 24);
    std::copy_n(before.const_data_ptr<uint8_t>(), before.numel(), expected.pixels.begin());
    RandomStream drawn = random.fork("rand_augment");
    vision::rand_augment(expected, options.rand_augment, drawn);
    EXPECT_TRUE(after.equal(data::pixels(std::move(expected))));
    changed += !after.equal(before);
  }
  EXPECT_GT(changed, 20);  // of 30 expected, a quarter having no operation left
}

// Three quarters of the picture's width are white: how wide they are in the view tells what the crop has left out.
TEST(Classification, LeavesLittleOfASceneOut) {
  const auto model = classifier("binary_cross_entropy", 0.8, 64);
  for (uint64_t index = 0; index < 200; ++index) {
    data::Sample sample;
    sample.image = vision::Image(64, 128);
    for (int y = 0; y < 64; ++y) std::fill_n(sample.image.row(y) + 3 * 16, 3 * 96, uint8_t{255});
    RandomStream random(1, "scene", 0, index);
    const at::Tensor white = model->prepare(std::move(sample), random, 0).at("image").slice(2, 0, 1).gt(127);
    const int64_t columns = white[0].sum().item<int64_t>();
    EXPECT_GE(columns, 47) << index;  // 48 of 64, all of the picture
    EXPECT_LE(columns, 55) << index;  // 48 / sqrt(.8)
  }
}

// The world's labels are one, a picture's; a scene's are any number.
class Labelled final : public data::Dataset {
 public:
  Labelled(bool multi_label, std::vector<std::string> names) : multi_label_(multi_label), names_(std::move(names)) {}
  int64_t size() const override { return 1; }
  data::Sample get(int64_t, RandomStream&) const override { return {}; }
  std::vector<std::string> class_names() const override { return names_; }
  bool is_multi_label() const override { return multi_label_; }

 private:
  bool multi_label_;
  std::vector<std::string> names_;
};

TEST(ClassificationOptions, TakeTheLossThatTheLabelsAskFor) {
  const Labelled one(false, {"dog", "cat"}), many(true, {"dog", "cat"}), none(false, {});
  const ClassificationOptions automatic;
  EXPECT_EQ(automatic.settled_for(one, "x").loss, "cross_entropy");
  EXPECT_EQ(automatic.settled_for(many, "x").loss, "binary_cross_entropy");
  EXPECT_GT(automatic.settled_for(many, "x").min_scale, automatic.settled_for(one, "x").min_scale);
  ClassificationOptions given;
  given.loss = "binary_cross_entropy";
  given.min_scale = 0.1;
  EXPECT_EQ(given.settled_for(many, "x").min_scale, 0.1);
  EXPECT_USER_ERROR(given.settled_for(one, "x"), "x: objective.loss: binary_cross_entropy does not fit");
  EXPECT_USER_ERROR(automatic.settled_for(none, "x"), "x: data.root: has no labels");
}

}  // namespace
}  // namespace freeatm::objectives
