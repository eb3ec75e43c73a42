// SPDX-License-Identifier: Apache-2.0
// ViTDet's backbone against transformers' VitDetModel (values: scripts/baselines/vitdet.py), and its weights' ways.
#include "freeatm/models/pretrained.h"
#include "freeatm/models/vit.h"

#include "models/backbone_cases.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::Case;

/// A grid of 6 x 6 patches.
const ViTOptions kPlain{
    .image_size = 24, .patch_size = 4, .dim = 16, .depth = 8, .heads = 2, .class_token = false, .global_pool = "avg"};

ViTOptions in_windows(int64_t side, bool relative = false) {
  ViTOptions options = kPlain;
  options.prepare_detection(side, relative);
  return options;
}

at::Tensor grid_of(const ViTOptions& options, const at::Tensor& images) {
  ViT model(options);
  testing::fill_with_hash(model, 0.3f);
  return model.forward_features(images);
}

class ViTDet : public ::testing::TestWithParam<std::string> {
 protected:
  const Case reference = testing::case_named("vitdet", GetParam());
  ViT model{testing::options_of<ViTOptions>(reference)};
  at::Tensor images = testing::images_of(reference);

  void SetUp() override { testing::fill_with_hash(model, 0.3f); }
};

TEST_P(ViTDet, GivesTransformersFeatures) {
  const at::NoGradGuard no_grad;
  EXPECT_LE(testing::worst(model.forward_features(images), reference.values.at("grid")), 1e-5);
}

TEST_P(ViTDet, GivesTransformersGradients) {
  model.to(at::kDouble);
  const at::Tensor grid = model.forward_features(images.to(at::kDouble));
  (grid * testing::hash_tensor("loss", grid.sizes())).sum().backward();
  // Where positions are resized their gradient goes through fp32.
  EXPECT_LE(testing::worst_gradient(model, {}, reference.values.at("gradients")), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Models, ViTDet,
                         ::testing::Values("whole_windows", "filled_up", "wide", "relative", "relative_wide",
                                           "relative_without_windows"),
                         [](const auto& info) { return info.param; });

TEST(ViTWindows, OfTheWholeGridAreGlobalAttention) {
  const at::Tensor images = testing::hash_tensor("images", {2, 3, 24, 24}), global = grid_of(kPlain, images);
  EXPECT_LE((grid_of(in_windows(6), images) - global).abs().max().item<double>(), 1e-5);
  // Zeros that fill a larger one up are looked at, as in the reference.
  EXPECT_GT((grid_of(in_windows(7), images) - global).abs().max().item<double>(), 1e-3);
}

TEST(ViTWindows, KeepAPatchFromTheOthersUntilABlockIsGlobal) {
  ViTBlock block(16, 2, 32, {.window = 3});
  testing::fill_with_hash(block, 0.3f);
  const at::Tensor tokens = testing::hash_tensor("tokens", {1, 36, 16});
  at::Tensor other = tokens.clone();
  other[0][0].fill_(2);  // the patch in the upper left corner
  const at::Tensor changed =
      (block.forward(other, {}, {6, 6}) - block.forward(tokens, {}, {6, 6})).abs().amax(2).view({6, 6}) > 0;
  at::Tensor window = at::zeros({6, 6}, at::kBool);
  window.slice(0, 0, 3).slice(1, 0, 3).fill_(true);
  EXPECT_TRUE(changed.equal(window)) << changed;
}

TEST(ViTWindows, ArePreparedWithoutAClassToken) {
  ViTOptions options;
  options.prepare_detection(0, false);
  EXPECT_TRUE(options.class_token);
  options.prepare_detection(14, true);
  EXPECT_EQ(options.window_size, 14);
  EXPECT_TRUE(options.relative_positions);
  EXPECT_FALSE(options.class_token);
  EXPECT_EQ(options.global_pool, "avg");
  options.prepare_detection(0, false);
  EXPECT_EQ(options.window_size, 14);
}

TEST(ViTWindows, RefuseHiddenPatches) {
  ViT model(in_windows(3));
  const at::Tensor tokens = model.embed(at::zeros({1, 3, 24, 24}));
  EXPECT_USER_ERROR(model.encode(tokens.narrow(1, 0, 9)), "model.window_size: windows and relative positions are of");
}

TEST(RelativePositions, ThatAreZeroChangeNothing) {
  const at::Tensor images = testing::hash_tensor("images", {1, 3, 20, 32});
  ViT plain(in_windows(4)), relative(in_windows(4, true));
  testing::fill_with_hash(plain, 0.3f);
  const auto own = weights::module_state(plain);
  EXPECT_TRUE(load_pretrained(relative, own, "f", "checkpoint").empty());
  EXPECT_EQ(weights::module_state(relative).at("blocks.1.attn.rel_pos_h").abs().max().item<double>(), 0);
  const at::Tensor expected = plain.forward_features(images);
  EXPECT_LE((relative.forward_features(images) - expected).abs().max().item<double>(), 1e-5);
}

TEST(PretrainedViT, GivesUpItsClassTokenForWindows) {
  ViTOptions with_token = kPlain;
  with_token.class_token = true, with_token.global_pool = "token";
  ViT from(with_token), to(in_windows(3));
  testing::fill_with_hash(from, 0.3f);
  const auto file = weights::module_state(from);
  const std::vector<std::string> left_out = load_pretrained(to, file, "f", "checkpoint");
  EXPECT_EQ(left_out, (std::vector<std::string>{"norm.weight", "norm.bias", "cls_token"}));
  const auto state = weights::module_state(to);
  EXPECT_TRUE(state.at("pos_embed").equal(file.at("pos_embed").slice(1, 1)));
  EXPECT_TRUE(state.at("blocks.7.attn.qkv.weight").equal(file.at("blocks.7.attn.qkv.weight")));
}

TEST(PretrainedViT, OfAnotherGridHasItsRelativePositionsResized) {
  ViTOptions larger = in_windows(4, true);
  larger.image_size = 36;
  ViT from(in_windows(4, true)), to(larger);
  testing::fill_with_hash(from, 0.3f);
  load_pretrained(to, weights::module_state(from), "f", "checkpoint");
  const auto before = weights::module_state(from), after = weights::module_state(to);
  EXPECT_TRUE(after.at("blocks.0.attn.rel_pos_w").equal(before.at("blocks.0.attn.rel_pos_w"))) << "of a window";
  const std::string global = "blocks.1.attn.rel_pos_w";
  EXPECT_TRUE(after.at(global).equal(resized_relative_positions(before.at(global), 9)));
}

}  // namespace
}  // namespace freeatm::models
