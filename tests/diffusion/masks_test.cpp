// SPDX-License-Identifier: Apache-2.0
// From attention to token maps to masks, on numbers made by hand.
#include "freeatm/diffusion/masks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/diffusion/harvester.h"

#include "testing.h"

namespace freeatm::diffusion {
namespace {

using models::AttentionSite;
using models::Block;

AttentionSite site(int64_t height, int64_t width, Block block = Block::kUp) {
  return {"layer", block, height, width, /*heads=*/2, /*is_cross=*/true};
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(AttentionHarvester, WantsTheChosenGridsBlocksAndSteps) {
  AttentionHarvester harvester({.scales = {1, 2}, .blocks = {"up", "mid"}, .timestep_max = 400}, 15, 16, {3});
  EXPECT_FALSE(harvester.wants(site(15, 16)));  // no step yet
  harvester.begin_step(0, 401);
  EXPECT_FALSE(harvester.wants(site(15, 16)));
  harvester.begin_step(1, 400);
  EXPECT_TRUE(harvester.wants(site(15, 16)));
  EXPECT_TRUE(
      harvester.wants(site(8, 8, Block::kMid)));  // half of an odd side, rounded as a convolution of stride 2 does
  EXPECT_FALSE(harvester.wants(site(4, 4)));
  EXPECT_FALSE(harvester.wants(site(15, 16, Block::kDown)));
  AttentionSite self = site(15, 16);
  self.is_cross = false;
  EXPECT_FALSE(harvester.wants(self));
}

TEST(AttentionHarvester, MeanOverLayersHeadsAndStepsOfTheConditionalRows) {
  AttentionHarvester harvester({.scales = {1, 2}, .blocks = {"up"}, .timestep_max = 400}, 4, 4, {2, 3});
  at::manual_seed(1);
  const at::Tensor weight;
  std::vector<at::Tensor> fine, coarse;  // what each call should add: [2, tokens, h, w]
  for (int step = 0; step < 3; ++step) {
    harvester.begin_step(step, 300);
    for (const int64_t side : {4, 2}) {
      const AttentionSite here = site(side, side);
      const at::Tensor query = at::randn({4, 2, side * side, 5}), key = at::randn({4, 2, 7, 5}),
                       value = at::randn({4, 2, 7, 5});
      harvester.observe({here, query, key, value, 0.3, weight, /*first_row=*/2, /*rows=*/2});
      const at::Tensor p = at::softmax(at::einsum("bhnd,bhtd->bhnt", {query, key}) * 0.3, -1).mean(1).slice(0, 2);
      (side == 4 ? fine : coarse).push_back(p.transpose(1, 2).reshape({2, 7, side, side}).slice(1, 1, 4));
    }
  }
  const at::Tensor resized = at::upsample_bilinear2d(at::stack(coarse).mean(0), {4, 4}, false);
  const at::Tensor wanted = (at::stack(fine).mean(0) + resized) / 2;
  const auto maps = harvester.maps();
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].sizes(), (at::IntArrayRef{2, 4, 4}));
  EXPECT_EQ(maps[1].sizes(), (at::IntArrayRef{3, 4, 4}));
  EXPECT_LE(difference(maps[0], wanted[0].slice(0, 0, 2)), 1e-6);
  EXPECT_LE(difference(maps[1], wanted[1]), 1e-6);
}

TEST(AttentionHarvester, SaysWhenNothingFits) {
  EXPECT_USER_ERROR(AttentionHarvester({.scales = {64}}, 16, 16, {1}).maps(), "no cross-attention fits scales [64]");
}

TEST(PhraseMasks, MeanOfTokensUpsampledNormalisedAndCut) {
  at::Tensor maps = at::zeros({3, 2, 2});
  maps[1][0][0] = 0.4, maps[2][0][0] = 0.8, maps[2][1][1] = 0.6;
  const std::vector<text::Phrase> phrases = {
      {.text = "ice cream", .tokens = {1, 2}}, {.text = "cut off"}, {.text = "flat", .tokens = {0}}};
  const PhraseMasks out = phrase_masks(maps, phrases, 4, 4, {.threshold = 0.5});
  // Mean of the tokens: .6 and .3 at the corners; corners of a bilinear upsampling with half-pixel centres keep their
  // values.
  EXPECT_FLOAT_EQ(out.normalised[0][0][0].item<float>(), 1.0f);
  EXPECT_FLOAT_EQ(out.normalised[0][3][3].item<float>(), 0.5f);
  EXPECT_FLOAT_EQ(out.normalised[0][3][0].item<float>(), 0.0f);
  EXPECT_FLOAT_EQ(out.normalised[0][0][1].item<float>(), 0.75f);
  EXPECT_EQ(out.masks.count(), 3);
  EXPECT_EQ(out.masks.area(0), 4);  // 1, .75, .75 and .5625 + .03125: the upper left quarter
  EXPECT_EQ(out.masks.area(1), 0);
  EXPECT_EQ(out.masks.area(2), 0);
  const at::Tensor inside = out.normalised[0].slice(0, 0, 2).slice(1, 0, 2);
  const double outside = (out.normalised[0].sum() - inside.sum()).item<double>() / 12;
  EXPECT_NEAR(out.scores[0], inside.mean().item<double>() - outside, 1e-6);
  EXPECT_EQ(out.scores[1], 0);
  EXPECT_EQ(out.scores[2], 0);
}

TEST(PhraseMasks, NoPhrasesGiveNoMasks) {
  EXPECT_EQ(phrase_masks(at::zeros({0, 4, 4}), {}, 8, 8, {}).masks.count(), 0);
}

TEST(TokensIn, ThoseThatOverlap) {
  const std::vector<text::Span> spans = {{0, 1}, {2, 6}, {6, 9}, {10, 12}};
  EXPECT_EQ(text::tokens_in(text::Span{2, 9}, spans), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(text::tokens_in(text::Span{8, 10}, spans), (std::vector<int64_t>{2}));
  EXPECT_TRUE(text::tokens_in(text::Span{12, 20}, spans).empty());
}

}  // namespace
}  // namespace freeatm::diffusion
