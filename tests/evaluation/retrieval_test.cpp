// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/retrieval.h"

#include <cmath>

#include <torch/torch.h>

#include "freeatm/evaluation/pointing.h"

#include "testing.h"
#include "text/described.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

data::Sample captioned(const std::string& key, std::vector<text::Caption> captions) {
  return {.key = key, .captions = std::move(captions)};
}

// Odd case 20.
TEST(Retrieval, EachCaptionCountsAndAnyOfAPicturesIsRight) {
  const Tensor similarity = torch::tensor({{.1, .9, .8, .2}, {.7, .3, .4, .6}});
  CaptionMatches matches;
  matches.add(captioned("a", {{"one"}, {"two"}}), 0);
  matches.add(captioned("b", {{"three"}, {"four"}}), 1);
  EXPECT_EQ(recall_at(ranks_of(similarity, matches.of_pictures(0, 2)), 1), 0.5);
  EXPECT_EQ(recall_at(ranks_of(similarity.t(), matches.of_texts(0, 4)), 1), 0.5);
  EXPECT_EQ(recall_at(ranks_of(similarity, matches.of_pictures(0, 2)), 2), 1);
}

TEST(Retrieval, AModelThatSaysTheSameOfAllFindsNothing) {
  const Tensor fits = at::eye(4, at::kBool);
  const Tensor ranks = ranks_of(at::ones({4, 4}), fits);
  EXPECT_TRUE(ranks.equal(at::full({4}, 3, at::kLong)));
  EXPECT_TRUE(ranks_of(at::ones({1, 4}), at::zeros({1, 4}, at::kBool)).equal(at::full({1}, 4, at::kLong)));
}

TEST(Retrieval, CandidatesAreOrderedAnewAndStayInFront) {
  const Tensor ranks = torch::tensor({1, 0, 5}), columns = torch::tensor({{0, 1}, {2, 3}, {0, 1}});
  const Tensor fits = torch::tensor({{false, true}, {true, false}, {false, false}});
  const Reranked again{columns, torch::tensor({{.2, .9}, {.1, .8}, {.5, .6}})};
  EXPECT_TRUE(reranked(ranks, again, fits).equal(torch::tensor({0, 1, 5})));
}

TEST(Retrieval, EquallyFittingCaptionsAreRightWhereTheyAreDescribed) {
  const auto scenes = [](bool equally_fitting) {
    CaptionMatches matches(equally_fitting);
    matches.add(captioned("a", {testing::described("a dog on the grass", {"dog"}, {"grass"})}), 0);
    matches.add(captioned("b", {testing::described("a photo of a dog", {"dog"})}), 1);
    matches.add(captioned("c", {testing::described("a dog in the water", {"dog"}, {"water"})}), 2);
    return std::pair(matches.of_pictures(0, 3), matches.of_texts(0, 3));
  };
  const auto [fitting, back] = scenes(true);
  EXPECT_TRUE(fitting.equal(torch::tensor({{true, true, false}, {true, true, true}, {false, true, true}})));
  EXPECT_TRUE(back.equal(fitting.t()));
  EXPECT_TRUE(scenes(false).first.equal(at::eye(3, at::kBool)));

  CaptionMatches plain;  // COCO's: two pictures with one text are two pictures
  plain.add(captioned("a", {{"a dog"}}), 0);
  plain.add(captioned("b", {{"a dog"}}), 1);
  EXPECT_TRUE(plain.of_pictures(0, 2).equal(at::eye(2, at::kBool)));
  EXPECT_TRUE(plain.of_texts(1, 1).equal(torch::tensor({{false, true}})));
}

TEST(Retrieval, BlocksGiveWhatTheWholeGives) {
  CaptionMatches matches;
  for (int i = 0; i < 7; ++i) {
    std::vector<text::Caption> captions;
    for (int j = 0; j <= i % 3; ++j)
      captions.push_back(testing::described(j == 0 ? "a dog" : "a cat", {j == 0 ? "dog" : "cat"}));
    matches.add(captioned(std::to_string(i), std::move(captions)), i);
  }
  const Tensor all = matches.of_pictures(0, 7);
  EXPECT_TRUE(at::cat({matches.of_pictures(0, 3), matches.of_pictures(3, 4)}).equal(all));
  EXPECT_TRUE(all[0].equal(at::tensor({1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1}, at::kLong).to(at::kBool)));
}

TEST(Pointing, TheHighestPixelAndTheHalfThatIsHigher) {
  Tensor mask = at::zeros({4, 4}, at::kBool);
  mask.narrow(0, 0, 2).narrow(1, 0, 2).fill_(true);
  const Pointed exact = judge_map(torch::tensor({{1., 0.}, {0., 0.}}), mask);
  EXPECT_TRUE(exact.hit);
  // Bilinear with half-pixel centres: rows and columns weigh 1, .75, .25, 0; above .5 are (0,0), (0,1), (1,0), (1,1).
  EXPECT_DOUBLE_EQ(exact.iou, 1);
  EXPECT_FALSE(judge_map(torch::tensor({{0., 0.}, {0., 1.}}), mask).hit);
  EXPECT_EQ(judge_map(torch::tensor({{0., 0.}, {0., 1.}}), mask).iou, 0);
  const Pointed flat = judge_map(at::full({2, 2}, 3.), mask);
  EXPECT_FALSE(flat.hit);
  EXPECT_EQ(flat.iou, 0);
  EXPECT_FALSE(judge_map(at::full({2, 2}, std::nan("")), mask).hit);
}

}  // namespace
}  // namespace freeatm::evaluation
