// SPDX-License-Identifier: Apache-2.0
// ViT against timm (values: scripts/baselines/vit.py).
#include "freeatm/models/vit.h"

#include <cmath>

#include "models/backbone_cases.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::Case;

const ViTOptions kSmall{.image_size = 32, .patch_size = 8, .dim = 16, .depth = 3, .heads = 2};

class ViTAgainstTimm : public ::testing::TestWithParam<std::string> {
 protected:
  const Case reference = testing::case_named("vit", GetParam());
  ViT model{testing::options_of<ViTOptions>(reference)};
  at::Tensor images = testing::images_of(reference), scales;

  void SetUp() override {
    testing::fill_with_hash(model, 0.1f);
    scales = testing::path_scales_of(reference);
  }
};

TEST_P(ViTAgainstTimm, GivesTheSameFeatures) {
  const at::NoGradGuard no_grad;
  const Features both = model.features(images, scales);
  EXPECT_LE(testing::worst(both.pooled, reference.values.at("features")), 1e-5);
  EXPECT_LE(testing::worst(both.grid, reference.values.at("grid")), 1e-5);
  EXPECT_LE(testing::worst(model.forward(images, scales), reference.values.at("features")), 1e-5);
  EXPECT_EQ(model.channels(), both.grid.size(1));
}

TEST_P(ViTAgainstTimm, GivesTheSameGradients) {
  model.to(at::kDouble);
  const at::Tensor features = model.forward(images.to(at::kDouble), scales);
  (features * testing::hash_tensor("loss", features.sizes())).sum().backward();
  // Where positions are resized their gradient goes through fp32, here as in timm.
  EXPECT_LE(testing::worst_gradient(model, {}, reference.values.at("gradients")), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Models, ViTAgainstTimm,
                         ::testing::Values("nano", "nano_mean", "nano_without_token", "nano_wide_picture", "nano_paths",
                                           "tiny", "small", "base_two_blocks"),
                         [](const auto& info) { return info.param; });

TEST(ViT, IsEmbedEncodeAndPool) {
  for (const bool class_token : {true, false}) {
    ViTOptions options = kSmall;
    options.class_token = class_token;
    if (!class_token) options.global_pool = "avg";
    ViT model(options);
    testing::fill_with_hash(model, 0.1f);
    const at::Tensor images = testing::hash_tensor("images", {2, 3, 32, 48}), whole = model.forward(images);
    const int64_t prefix = model.prefix_tokens();
    EXPECT_TRUE(model.pool(model.encode(model.embed(images))).equal(whole));

    // SimMIM: a patch that is replaced may hold anything.
    at::Tensor other = images.clone();
    other.slice(2, 8, 16).slice(3, 16, 24).fill_(5);  // the patch in row 1, column 2 of six columns
    const auto masked = [&](const at::Tensor& pictures) {
      at::Tensor patches = model.patches(pictures).clone();
      patches.select(1, 8).fill_(0.5);
      return model.encode(model.placed(patches, model.grid_of(pictures)));
    };
    EXPECT_FALSE(model.forward(other).equal(whole));
    EXPECT_TRUE(masked(other).equal(masked(images)));

    // MAE: neither may one that is dropped, and the order of the others is nothing to the blocks.
    const auto kept = [&](const at::Tensor& pictures, const at::Tensor& order) {
      const at::Tensor tokens = model.embed(pictures);
      return model.encode(at::cat({tokens.narrow(1, 0, prefix), tokens.index_select(1, order + prefix)}, 1));
    };
    const at::Tensor order = at::tensor({3, 20, 0, 11}), back = at::tensor({11, 0, 20, 3});
    EXPECT_EQ(kept(images, order).sizes(), (std::vector<int64_t>{2, prefix + 4, 16}));
    EXPECT_TRUE(kept(other, order).equal(kept(images, order)));
    const at::Tensor there = kept(images, order).slice(1, prefix), reversed = kept(images, back).slice(1, prefix);
    EXPECT_LE((reversed.flip(1) - there).abs().max().item<double>(), 1e-5);
  }
}

TEST(ViT, HasTimmsNames) {
  ViTOptions tiny{.dim = 192, .heads = 3}, small{.dim = 384, .heads = 6}, base{.dim = 768, .heads = 12};
  testing::expect_names(ViT(tiny), "vit_tiny_patch16_224");
  testing::expect_names(ViT(small), "vit_small_patch16_224");
  testing::expect_names(ViT(base), "vit_base_patch16_224");
}

TEST(ViTPositions, EqualTimms) {
  const auto values = weights::load_safetensors(testing::test_file("models/data/vit_positions.safetensors")).tensors;
  EXPECT_LE((sincos_positions(5, 7, 32) - values.at("sincos")).abs().max().item<double>(), 1e-6);
  const at::Tensor positions = testing::hash_tensor("positions", {1, 26, 12});
  EXPECT_TRUE(resized_positions(positions, 1, 5, 5, 7, 9).equal(values.at("larger")));
  EXPECT_TRUE(resized_positions(positions, 1, 5, 5, 2, 3).equal(values.at("smaller")));
  EXPECT_TRUE(resized_positions(positions.slice(1, 1), 0, 5, 5, 3, 3).equal(values.at("without_token")));
  EXPECT_TRUE(resized_positions(positions, 1, 5, 5, 5, 5).is_same(positions));
}

TEST(ViTPositions, AreFixedWhereTheyAreWaves) {
  ViTOptions options = kSmall;
  options.positions = "sincos";
  ViT model(options);
  model.initialize(1);
  const auto parameters = model.named_parameters();
  const at::Tensor& positions = parameters["pos_embed"];
  EXPECT_FALSE(positions.requires_grad());
  EXPECT_TRUE(positions[0].slice(0, 1).equal(sincos_positions(4, 4, 16)));
  EXPECT_EQ(positions[0][0].abs().max().item<double>(), 0);  // the class token has none
}

TEST(ViT, FirstWeightsAreAFunctionOfTheSeed) {
  ViT a(kSmall), b(kSmall), c(kSmall);
  a.initialize(1);
  b.initialize(1);
  c.initialize(2);
  const auto first = a.named_parameters(), same = b.named_parameters(), other = c.named_parameters();
  for (const auto& item : first) {
    EXPECT_TRUE(item.value().equal(same[item.key()])) << item.key();
    EXPECT_TRUE(item.value().isfinite().all().item<bool>()) << item.key();
  }
  EXPECT_FALSE(first["blocks.2.mlp.fc1.weight"].equal(other["blocks.2.mlp.fc1.weight"]));
  const auto largest = [&](const char* name) { return first[name].abs().max().item<double>(); };
  EXPECT_NEAR(largest("blocks.0.attn.qkv.weight"), std::sqrt(6.0 / 32), 0.01);  // not 6 / (16 + 48)
  EXPECT_NEAR(largest("blocks.0.mlp.fc2.weight"), std::sqrt(6.0 / 80), 0.01);
  EXPECT_NEAR(largest("patch_embed.proj.weight"), std::sqrt(6.0 / (192 + 16)), 0.01);
  EXPECT_NEAR(first["pos_embed"].std().item<double>(), 0.02, 0.003);
  EXPECT_LT(largest("cls_token"), 1e-5);
  EXPECT_EQ(largest("blocks.0.mlp.fc2.bias"), 0);
}

TEST(ViT, AFrozenPatchProjectionGetsNoGradient) {
  ViTOptions options = kSmall;
  options.freeze_patch_embed = true;
  ViT model(options);
  model.initialize(1);
  model.forward(at::ones({1, 3, 32, 32})).sum().backward();
  EXPECT_FALSE(model.named_parameters()["patch_embed.proj.weight"].grad().defined());
  EXPECT_FALSE(model.named_parameters()["patch_embed.proj.bias"].requires_grad());
  EXPECT_TRUE(model.named_parameters()["blocks.0.attn.qkv.weight"].grad().defined());
}

TEST(ViT, RefusesPicturesThatPatchesDoNotCover) {
  ViT model(kSmall);
  EXPECT_USER_ERROR(model.forward(at::zeros({1, 3, 32, 36})),
                    "model.patch_size: 8 does not divide the pictures' 36x32 pixels");
}

TEST(ViT, RefusesOptionsThatDoNotFit) {
  const auto read = [](const std::string& yaml) {
    const testing::TemporaryFolder folder;
    write_file(folder / "model.yaml", yaml);
    return config::read<ViTOptions>({.command = "test", .tree = config::load_yaml((folder / "model.yaml").string())});
  };
  EXPECT_USER_ERROR(read("image_size: 60\npatch_size: 8\n"), "60 is no multiple of patch_size 8");
  EXPECT_USER_ERROR(read("dim: 100\nheads: 3\n"), "heads: 3 does not divide dim 100");
  EXPECT_USER_ERROR(read("dim: 18\nheads: 3\npositions: sincos\n"), "dim: 18 is no multiple of 4");
  EXPECT_USER_ERROR(read("class_token: false\n"), "global_pool: token needs class_token=true");
}

}  // namespace
}  // namespace freeatm::models
