// SPDX-License-Identifier: Apache-2.0
// Mixup, CutMix, random erasing, smoothed labels, layer decay and drop path against timm (values:
// scripts/baselines/classification_tricks.py, vit.py), and what is drawn.
#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/classification/classification.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "nano.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using testing::difference;
using testing::nano_classifier;

const weights::TensorMap& values() {
  static const auto tensors =
      weights::load_safetensors(testing::test_file("objectives/data/classification_tricks.safetensors")).tensors;
  return tensors;
}

const std::map<std::string, Mix> kMixes = {{"blended", {.share = 0.3, .label = 0.3}},
                                           {"cut", cut_box(0.4, 32, 32, 11, 17)},
                                           {"cut_by_border", cut_box(0.4, 32, 32, 1, 30)}};

ClassificationOptions settled(const std::string& loss) {
  ClassificationOptions options;
  options.loss = loss;
  options.min_scale = 0.5;
  options.augment.size = 32;
  return options;
}

TEST(Mixup, MixesPicturesAsTimmDoes) {
  const at::Tensor images = testing::hash_tensor("mixed", {4, 3, 32, 32});
  for (const auto& [name, mix] : kMixes)
    EXPECT_LE(difference(mixed_images(images, mix.to_tensor()), values().at(name + ".images")), 1e-6) << name;
  EXPECT_TRUE(mixed_images(images, Mix{}.to_tensor()).equal(images));
}

class MixedBatch : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(MixedBatch, HasTheLossAndTheGradientsOfTimms) {
  const auto& [mix, loss_name] = GetParam();
  ClassificationOptions options = settled(loss_name);
  options.label_smoothing = 0.1;
  const auto model = nano_classifier(options);
  testing::fill_with_hash(*model, 0.3f);
  model->to(at::kDouble);
  const auto plain =
      weights::load_safetensors(testing::test_file("objectives/data/classification.safetensors")).tensors;
  const at::Tensor drawn = at::stack({kMixes.at(mix).to_tensor(), at::zeros({6}, at::kDouble)});  // the first counts
  const training::Losses losses =
      model->losses({{{"image", plain.at("image")}, {"target", plain.at(loss_name + ".target")}, {"mix", drawn}}});
  losses.total().backward();
  const std::string key = mix + "." + loss_name;
  EXPECT_NEAR(losses.total().item<double>(), values().at(key + ".loss").item<double>(),
              1e-6);  // timm's shares are fp32
  const at::Tensor gradient = model->named_parameters()["backbone.conv1.weight"].grad().flatten(),
                   expected = values().at(key + ".gradient");
  EXPECT_LE(difference(gradient, expected), 1e-5 * expected.abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Losses, MixedBatch,
                         ::testing::Combine(::testing::Values("blended", "cut", "cut_by_border"),
                                            ::testing::Values("cross_entropy", "binary_cross_entropy")),
                         [](const auto& info) { return std::get<0>(info.param) + "_" + std::get<1>(info.param); });

TEST(Mixup, DrawsFromBeta) {
  const double alphas[] = {0.2, 0.8, 1.0, 4.0}, points[] = {0.02, 0.1, 0.25, 0.4};
  constexpr int kDraws = 20000;
  for (int a = 0; a < 4; ++a) {
    RandomStream random(1, "beta", 0, a);
    std::vector<double> draws(kDraws);
    for (double& draw : draws) draw = draw_beta(alphas[a], random);
    for (int p = 0; p < 4; ++p) {
      const double quantile = values().at("beta")[a][p].item<double>();
      const auto below = [&](double limit) {
        return std::ranges::count_if(draws, [&](double x) { return x < limit; });
      };
      EXPECT_NEAR(static_cast<double>(below(quantile)) / kDraws, points[p], 0.012) << alphas[a];  // 3.5 deviations
      EXPECT_NEAR(static_cast<double>(below(1 - quantile)) / kDraws, 1 - points[p], 0.012) << alphas[a];
    }
  }
  RandomStream random(1, "tiny");
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(std::isfinite(draw_beta(1e-3, random)));
}

TEST(Mixup, DrawsEachKindAsOftenAsItIsAsked) {
  const auto shares = [](const MixOptions& options) {
    double none = 0, cuts = 0;
    for (uint64_t i = 0; i < 4000; ++i) {
      RandomStream random(1, "mix", 0, i);
      const Mix mix = draw_mix(options, 32, 48, random);
      none += mix.share == 1 && mix.label == 1;
      cuts += mix.bottom > mix.top;
      EXPECT_TRUE(mix.top >= 0 && mix.bottom <= 32 && mix.left >= 0 && mix.right <= 48);
      EXPECT_TRUE(mix.label >= 0 && mix.label <= 1);
    }
    return std::pair(none / 4000, cuts / 4000);
  };
  EXPECT_EQ(shares({}), std::pair(1.0, 0.0));
  const auto [none, cuts] = shares({.mixup = 0.8, .cutmix = 4, .probability = 0.5, .switch_probability = 0.25});
  EXPECT_NEAR(none, 0.5, 0.03);
  EXPECT_NEAR(cuts, 0.125, 0.02);
  EXPECT_EQ(shares({.mixup = 0.8}).second, 0);
  EXPECT_GT(shares({.cutmix = 4}).second, 0.99);
}

TEST(RandomErasing, ErasesAsMuchAsTimms) {
  constexpr int kPictures = 20000;
  std::vector<double> areas;
  for (uint64_t i = 0; i < kPictures; ++i) {
    vision::Image image(32, 48);
    RandomStream random(1, "erase", 0, i);
    maybe_erase(image, {.probability = 0.25, .fill = "mean"}, random);
    int64_t erased = 0;
    for (size_t at = 0; at < image.pixels.size(); at += 3) {
      if (image.pixels[at] == 0) continue;
      ++erased;
      EXPECT_EQ(image.pixels[at], 124);  // 255 * .485
      EXPECT_EQ(image.pixels[at + 2], 104);
    }
    if (erased > 0) areas.push_back(static_cast<double>(erased) / (32 * 48));
  }
  double mean = 0, square = 0;
  for (const double area : areas) mean += area / areas.size(), square += area * area / areas.size();
  const at::Tensor expected = values().at("erased");
  EXPECT_NEAR(static_cast<double>(areas.size()) / kPictures, expected[0].item<double>(), 0.015);
  EXPECT_NEAR(mean, expected[1].item<double>(), 0.006);
  EXPECT_NEAR(std::sqrt(square - mean * mean), expected[2].item<double>(), 0.004);
}

TEST(RandomErasing, FillsWithNoiseAroundTheMeanColour) {
  double sum = 0, square = 0, count = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    vision::Image image(64, 64);
    std::ranges::fill(image.pixels, uint8_t{255});
    RandomStream random(1, "noise", 0, i);
    maybe_erase(image, {.probability = 1}, random);
    for (size_t at = 0; at < image.pixels.size(); at += 3) {
      if (image.pixels[at] == 255) continue;
      const double z = (image.pixels[at] / 255.0 - 0.485) / 0.229;
      sum += z, square += z * z, ++count;
    }
  }
  EXPECT_GT(count, 10000);
  EXPECT_NEAR(sum / count, 0, 0.05);
  EXPECT_NEAR(std::sqrt(square / count), 0.97, 0.03);  // 1, without what is cut off at black and white
}

data::Sample picture() {
  data::Sample sample;
  sample.image = vision::Image(40, 40);
  for (size_t i = 0; i < sample.image.pixels.size(); ++i) sample.image.pixels[i] = static_cast<uint8_t>(i * 7);
  sample.labels = {3};
  return sample;
}

TEST(Classification, DrawsItsTricksFromTheSamplesStream) {
  ClassificationOptions plain = settled("cross_entropy"), all = plain;
  all.mix = {.mixup = 0.8, .cutmix = 1};
  all.drop_path = 0.3;
  const auto view = [](const ClassificationOptions& options, uint64_t index) {
    RandomStream random(1, "view", 0, index);
    return nano_classifier(options)->prepare(picture(), random, 0);
  };
  const data::View first = view(all, 0), same = view(all, 0), other = view(all, 1), without = view(plain, 0);
  EXPECT_EQ(first.at("mix").sizes(), std::vector<int64_t>{6});
  EXPECT_EQ(first.at("paths").sizes(), std::vector<int64_t>{4});
  for (const auto& [name, tensor] : first.tensors) EXPECT_TRUE(tensor.equal(same.at(name))) << name;
  EXPECT_FALSE(first.at("mix").equal(other.at("mix")));
  EXPECT_EQ(without.tensors.size(), 2u);
  EXPECT_TRUE(without.at("image").equal(first.at("image"))) << "the crop does not depend on the other draws";
  all.erase.probability = 1;
  EXPECT_FALSE(view(all, 0).at("image").equal(first.at("image")));
}

TEST(Classification, DropsPathsInTrainingOnly) {
  ClassificationOptions options = settled("cross_entropy");
  options.drop_path = 0.9;
  const auto model = nano_classifier(options);
  testing::fill_with_hash(*model, 0.3f);
  const auto plain =
      weights::load_safetensors(testing::test_file("objectives/data/classification.safetensors")).tensors;
  const auto loss = [&](const at::Tensor& paths) {
    return model
        ->losses({{{"image", plain.at("image")}, {"target", plain.at("cross_entropy.target")}, {"paths", paths}}})
        .total()
        .item<double>();
  };
  const at::Tensor kept = at::ones({6, 4});
  EXPECT_NEAR(loss(kept), plain.at("cross_entropy.loss").item<double>(), 1e-5);
  EXPECT_GT(std::abs(loss(at::zeros({6, 4})) - loss(kept)), 1e-2);
  model->eval();
  const data::Sample sample = picture();
  const at::Tensor judged = model->logits(std::span(&sample, 1));
  loss(at::zeros({6, 4}));
  EXPECT_TRUE(model->logits(std::span(&sample, 1)).equal(judged));
}

// By name: the learning rate's scale, and whether weights decay.
std::map<std::string, std::pair<double, double>> settings(Classification& model) {
  std::map<std::string, std::pair<double, double>> out;
  for (const auto& group : model.parameter_groups()) {
    for (const auto& [name, parameter] : group.parameters) {
      const std::string own = name.starts_with("backbone.") ? name.substr(9) : name;
      EXPECT_TRUE(out.emplace(own, std::pair(group.learning_rate_scale, group.weight_decay_scale)).second) << name;
    }
  }
  return out;
}

TEST(LayerDecay, EqualsTimms) {
  const auto table = nlohmann::json::parse(read_file(testing::test_file("objectives/data/layer_decay.json")));
  ClassificationOptions options = settled("cross_entropy");
  options.layer_decay = 0.75;
  const std::shared_ptr<models::Backbone> backbones[] = {
      std::make_shared<models::ResNet>(models::ResNetOptions{}),
      std::make_shared<models::ViT>(models::ViTOptions{
          .image_size = 64, .patch_size = 8, .dim = 128, .depth = 3, .heads = 4, .global_pool = "avg"})};
  for (size_t i = 0; i < 2; ++i) {
    Classification model(backbones[i], 5, options, 1);
    const auto& expected = table.at(i == 0 ? "resnet18" : "vit");
    const auto own = settings(model);
    ASSERT_EQ(own.size(), expected.size());
    for (const auto& [name, pair] : own) {
      EXPECT_NEAR(pair.first, expected.at(name)[0].get<double>(), 1e-12) << name;
      EXPECT_EQ(pair.second, expected.at(name)[1].get<double>()) << name;
    }
  }
}

TEST(LayerDecay, TheNormBehindTheBlocksLearnsLikeTheHead) {  // as in BEiT and MAE; timm counts it to the last block
  ClassificationOptions options = settled("cross_entropy");
  options.layer_decay = 0.5;
  Classification model(std::make_shared<models::ViT>(
                           models::ViTOptions{.image_size = 16, .patch_size = 8, .dim = 8, .depth = 2, .heads = 2}),
                       5, options, 1);
  const auto own = settings(model);
  EXPECT_EQ(own.at("norm.weight").first, 1);
  EXPECT_EQ(own.at("head.weight").first, 1);
  EXPECT_EQ(own.at("blocks.1.attn.qkv.weight").first, 0.5);
  EXPECT_EQ(own.at("blocks.0.attn.qkv.weight").first, 0.25);
  EXPECT_EQ(own.at("patch_embed.proj.weight").first, 0.125);
}

TEST(Classification, TrainsWhatItsPretrainingLeftFixed) {
  const auto backbone = std::make_shared<models::ViT>(models::ViTOptions{.image_size = 16,
                                                                         .patch_size = 8,
                                                                         .dim = 8,
                                                                         .depth = 1,
                                                                         .heads = 2,
                                                                         .positions = "sincos",
                                                                         .freeze_patch_embed = true});
  Classification model(backbone, 5, settled("cross_entropy"), 1);
  size_t grouped = 0;
  for (const auto& group : model.parameter_groups()) grouped += group.parameters.size();
  EXPECT_EQ(grouped, model.parameters().size());
  for (const at::Tensor& parameter : model.parameters()) EXPECT_TRUE(parameter.requires_grad());
  EXPECT_EQ(model.parameter_groups().size(), 2u);  // without layer decay: what decays, and what does not
}

}  // namespace
}  // namespace freeatm::objectives
