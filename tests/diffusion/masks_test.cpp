// SPDX-License-Identifier: Apache-2.0
// From attention to token maps to masks, on numbers made by hand.
#include "freeatm/diffusion/masks.h"

#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/diffusion/harvester.h"

#include "tensors.h"
#include "testing.h"

namespace freeatm::diffusion {
namespace {

using models::AttentionSite;
using models::Block;
using testing::difference;

AttentionSite site(int64_t height, int64_t width, Block block = Block::kUp) {
  return {"layer", block, height, width, /*heads=*/2, /*is_cross=*/true};
}

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
  EXPECT_USER_ERROR(AttentionHarvester({.scales = {64}}, 16, 16, {1}).maps(),
                    "no cross-attention fits blocks [up], scales [64]");
}

TEST(AttentionHarvester, WithoutScalesTheFinestGridWithCrossAttentionCounts) {
  at::manual_seed(4);
  AttentionHarvester harvester({}, 8, 8, {2});
  at::Tensor wanted = at::zeros({16, 2});
  for (int step = 0; step < 2; ++step) {
    harvester.begin_step(step, 300);
    for (const int64_t side : {2, 4, 4}) {  // a model without cross-attention at 8 x 8
      const bool is_finest = side == 4, is_first = step == 0;
      EXPECT_EQ(harvester.wants(site(side, side)), is_finest || is_first);
      const at::Tensor query = at::randn({1, 2, side * side, 5}), key = at::randn({1, 2, 7, 5});
      if (harvester.wants(site(side, side))) harvester.observe({site(side, side), query, key, key, 1.0, {}, 0, 1});
      if (is_finest) wanted += at::softmax(at::matmul(query, key.transpose(2, 3)), -1).mean(1)[0].slice(1, 1, 3) / 4;
    }
  }
  EXPECT_EQ(harvester.maps()[0].sizes(), (at::IntArrayRef{2, 4, 4}));
  EXPECT_LE(difference(harvester.maps()[0].flatten(1).t(), wanted), 1e-6);
}

TEST(AttentionHarvester, SaysWhatWasThereWhereNothingFits) {
  AttentionHarvester late({}, 8, 8, {1}), coarse({.scales = {1}}, 8, 8, {1});
  for (const double timestep : {999.0, 500.0}) {
    late.begin_step(0, timestep);
    EXPECT_FALSE(late.wants(site(8, 8)));
  }
  EXPECT_USER_ERROR(late.maps(), "; the steps are at timesteps [999, 500]: another harvest.timestep_max, or more");
  coarse.begin_step(0, 100);
  for (const int64_t side : {2, 4}) EXPECT_FALSE(coarse.wants(site(side, side)));
  EXPECT_FALSE(coarse.wants(site(2, 2, Block::kMid)));
  EXPECT_USER_ERROR(coarse.maps(), "; this model has cross-attention at scales: mid [4], up [2, 4]");
}

TEST(AttentionHarvester, LayersCountAsTheirWeightsSay) {
  AttentionHarvester harvester({.layers = {"up_blocks.1", "up_blocks.2"}, .layer_weights = {1, 3}}, 4, 4, {2});
  harvester.begin_step(0, 300);
  at::manual_seed(2);
  at::Tensor wanted = at::zeros({16, 2});
  for (const auto& [layer, weight] : std::map<std::string, double>{
           {"up_blocks.1.attentions.0", 1}, {"up_blocks.2.attentions.0", 3}, {"up_blocks.20.attentions.0", 0}}) {
    AttentionSite here = site(4, 4);
    here.layer = layer;
    EXPECT_EQ(harvester.wants(here), weight > 0) << layer;
    if (weight == 0) continue;
    const at::Tensor query = at::randn({1, 2, 16, 5}), key = at::randn({1, 2, 7, 5});
    harvester.observe({here, query, key, key, 1.0, {}, 0, 1});
    const at::Tensor p = at::softmax(at::matmul(query, key.transpose(2, 3)), -1).mean(1)[0];
    wanted += p.slice(1, 1, 3) * (weight / 4);
  }
  EXPECT_LE(difference(harvester.maps()[0].flatten(1).t(), wanted), 1e-6);
}

TEST(AttentionHarvester, HeadsCountByTheirShareInTheLayersOutput) {
  AttentionHarvester harvester({.weights = "agreement"}, 4, 4, {2, 2});
  harvester.begin_step(0, 300);
  at::manual_seed(3);
  const at::Tensor query = at::randn({2, 3, 16, 5}), key = at::randn({2, 3, 7, 5}), value = at::randn({2, 3, 7, 5}),
                   weight = at::randn({11, 15});
  harvester.observe({site(4, 4), query, key, value, 0.4, weight, 0, 2});
  const at::Tensor p = at::softmax(at::matmul(query, key.transpose(2, 3)) * 0.4, -1);  // [2, 3, 16, 7]
  for (int64_t row = 0; row < 2; ++row) {
    std::vector<at::Tensor> outputs;  // of each head, [16, 11]
    for (int64_t head = 0; head < 3; ++head)
      outputs.push_back(
          at::matmul(at::matmul(p[row][head], value[row][head]), weight.slice(1, 5 * head, 5 * head + 5).t()));
    const at::Tensor all = at::stack(outputs).sum(0);
    std::vector<double> shares;
    double sum = 0;
    for (const auto& output : outputs) sum += shares.emplace_back(std::max(0.0, (output * all).sum().item<double>()));
    at::Tensor wanted = at::zeros({16, 2});
    for (int64_t head = 0; head < 3; ++head) wanted += p[row][head].slice(1, 1, 3) * (shares[head] / sum);
    EXPECT_LE(difference(harvester.maps()[row].flatten(1).t(), wanted), 1e-5);
  }
}

TEST(AttentionHarvester, KeepsTheMeanSelfAttentionOfOneGrid) {
  AttentionHarvester harvester({}, 64, 64, {1}, /*with_self=*/true);
  harvester.begin_step(0, 300);
  AttentionSite coarse = site(32, 32), fine = site(64, 64);
  coarse.is_cross = fine.is_cross = false;
  EXPECT_TRUE(harvester.wants(coarse));  // the finest of at most 32 x 32
  EXPECT_FALSE(harvester.wants(fine));
  EXPECT_USER_ERROR(harvester.self_attention(), "no self-attention of blocks [up] has the grid 32 x 32");
  EXPECT_USER_ERROR(AttentionHarvester({.self_scale = 1}, 64, 64, {1}, true), "has more than 1024 cells");

  AttentionHarvester small({}, 4, 4, {1}, true);
  small.begin_step(0, 300);
  at::manual_seed(4);
  at::Tensor wanted = at::zeros({16, 16});
  for (int call = 0; call < 2; ++call) {
    AttentionSite here = site(4, 4);
    here.is_cross = false;
    const at::Tensor query = at::randn({2, 2, 16, 5}), key = at::randn({2, 2, 16, 5});
    small.observe({here, query, key, key, 0.5, {}, 1, 1});
    wanted += at::softmax(at::matmul(query[1], key[1].transpose(1, 2)) * 0.5, -1).mean(0) / 2;
  }
  EXPECT_LE(difference(small.self_attention()[0].transition, wanted), 1e-6);
}

const vision::Image kPicture(4, 4);

TEST(PhraseMasks, MeanOfTokensUpsampledNormalisedAndCut) {
  at::Tensor maps = at::zeros({3, 2, 2});
  maps[1][0][0] = 0.4, maps[2][0][0] = 0.8, maps[2][1][1] = 0.6;
  const std::vector<text::Phrase> phrases = {
      {.text = "ice cream", .tokens = {1, 2}}, {.text = "cut off"}, {.text = "flat", .tokens = {0}}};
  const PhraseMasks out = phrase_masks({maps, {}}, phrases, kPicture, {.refine = "none", .threshold = 0.5});
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
  EXPECT_NEAR(out.scores[0].contrast, inside.mean().item<double>() - outside, 1e-6);
  EXPECT_FLOAT_EQ(out.scores[0].peak, 0.6f);
  EXPECT_FLOAT_EQ(out.scores[0].prominence, 0.6f / (0.9f / 4));
  EXPECT_EQ(out.scores[1].contrast, 0);
  EXPECT_EQ(out.scores[2].peak, 0);
}

TEST(PhraseMasks, NoPhrasesGiveNoMasks) {
  EXPECT_EQ(phrase_masks({at::zeros({0, 4, 4}), {}}, {}, kPicture, {}).masks.count(), 0);
}

TEST(PhraseMasks, PerPixelDividesByWhatAllTokensGotThere) {
  at::Tensor maps = at::ones({3, 4, 4});
  maps[0][1][1] = 3, maps[2][1][1] = 5;  // the second token's share is the smaller for it
  const auto out = phrase_masks({maps, {}}, {{.text = "second", .tokens = {1}}}, kPicture,
                                {.normalise = "per_pixel", .refine = "none"});
  EXPECT_FLOAT_EQ(out.normalised[0][1][1].item<float>(), 0);
  EXPECT_FLOAT_EQ(out.normalised[0][0][0].item<float>(), 1);
  EXPECT_EQ(phrase_masks({maps, {}}, {{.text = "second", .tokens = {1}}}, kPicture, {.refine = "none"}).masks.area(0),
            0);  // no contrast
}

TEST(PhraseMasks, SelfAttentionCarriesTheMapToItsOwnKind) {
  // Cells of the left half attend to one another alone, but for a little that iterated takes away.
  const int64_t cells = 16;
  at::Tensor transition = at::full({cells, cells}, 0.02);
  for (int64_t i = 0; i < cells; ++i) {
    for (int64_t j = 0; j < cells; ++j) {
      if ((i % 4 < 2) == (j % 4 < 2)) transition[i][j] = 0.105;
    }
  }
  at::Tensor maps = at::zeros({1, 4, 4});
  maps[0][0][0] = 1;
  const TokenMaps given{maps, {transition, 4, 4}};
  const std::vector<text::Phrase> phrase = {{.text = "left", .tokens = {0}}};
  EXPECT_EQ(phrase_masks(given, phrase, kPicture, {.refine = "none"}).masks.area(0), 1);
  for (const char* refine : {"self_attention", "iterated"}) {
    const auto out = phrase_masks(given, phrase, kPicture, {.refine = refine, .refine_steps = 2});
    EXPECT_EQ(out.masks.area(0), 8) << refine;
    EXPECT_EQ(out.masks.rle(0).area_inside({0, 0, 2, 4}), 8) << refine;
  }
  EXPECT_THROW(phrase_masks({maps, {}}, phrase, kPicture, {.refine = "iterated"}), std::exception);
}

TEST(PhraseMasks, ThreeWaysToDecide) {
  at::Tensor maps = at::zeros({2, 4, 4});
  maps[0].slice(0, 0, 2).fill_(0.25);  // dimly the upper half, brightly its first row
  maps[0][0].fill_(1);
  maps[1].slice(0, 1, 4).fill_(0.5);
  maps[1][3].fill_(1);
  const std::vector<text::Phrase> phrases = {{.text = "a", .tokens = {0}}, {.text = "b", .tokens = {1}}};
  const auto areas = [&](MaskOptions options) {
    options.refine = "none";
    const auto out = phrase_masks({maps, {}}, phrases, kPicture, options);
    return std::pair(out.masks.area(0), out.masks.area(1));
  };
  EXPECT_EQ(areas({.threshold = 0.2}), std::pair(int64_t{8}, int64_t{12}));
  EXPECT_EQ(areas({.threshold = 0.6}), std::pair(int64_t{4}, int64_t{4}));
  EXPECT_EQ(areas({.decide = "otsu"}), std::pair(int64_t{4}, int64_t{12}));  // between .25 and 1; 0 apart from .5 and 1
  EXPECT_EQ(areas({.decide = "argmax", .background = 0.4}), std::pair(int64_t{4}, int64_t{12}));
  EXPECT_EQ(areas({.decide = "argmax", .background = 0.6}), std::pair(int64_t{4}, int64_t{4}));
}

TEST(TokensIn, ThoseThatOverlap) {
  const std::vector<text::Span> spans = {{0, 1}, {2, 6}, {6, 9}, {10, 12}};
  EXPECT_EQ(text::tokens_in(text::Span{2, 9}, spans), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(text::tokens_in(text::Span{8, 10}, spans), (std::vector<int64_t>{2}));
  EXPECT_TRUE(text::tokens_in(text::Span{12, 20}, spans).empty());
}

}  // namespace
}  // namespace freeatm::diffusion
