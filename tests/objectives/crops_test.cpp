// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/contrastive/crops.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "samples.h"

namespace freeatm::objectives {
namespace {

using vision::Box;

// A 64 x 64 picture with a filled rectangle for each phrase.
data::Sample sample_with(const std::vector<std::pair<text::Role, Box>>& rectangles) {
  data::Sample sample;
  sample.image = vision::Image(64, 64);
  for (const auto& [role, box] : rectangles) testing::add_region(sample, "x", role, testing::rectangle(64, 64, box));
  return sample;
}

CropPair pair_of(const data::Sample& sample, uint64_t index, const CropOptions& options = {}) {
  RandomStream random(1, "crops", 0, index);
  return mask_pair(sample, options, random);
}

constexpr Box kThing{20, 12, 24, 30};

TEST(MaskPair, ShowsTheThingInBothViews) {
  const data::Sample sample = sample_with({{text::Role::kStuff, {0, 0, 64, 64}}, {text::Role::kThing, kThing}});
  int followed = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const CropPair pair = pair_of(sample, i);
    ASSERT_NE(pair.kind, PairKind::kFellBack);  // a large thing: 20 draws are plenty
    if (pair.kind == PairKind::kPlain) continue;
    ++followed;
    EXPECT_EQ(sample.regions[1].mask.area_inside(pair.a),
              kThing.area());  // whole in view a, which is 1.1 to 1.6 times its box
    EXPECT_GE(pair.a.width, std::floor(1.1 * kThing.width));
    EXPECT_LE(pair.a.width, 1.6 * kThing.width + 2);
    EXPECT_LE(pair.a.height, 1.6 * kThing.height + 2);
    const double inside = static_cast<double>(sample.regions[1].mask.area_inside(pair.b));
    EXPECT_GE(inside, 0.5 * kThing.area());
    EXPECT_GE(inside, 0.1 * pair.b.area());
    for (const Box& box : {pair.a, pair.b}) EXPECT_EQ(vision::intersection(box, {0, 0, 64, 64}), box);
  }
  EXPECT_NEAR(followed / 2000.0, 0.5, 5 * std::sqrt(0.25 / 2000));
}

TEST(MaskPair, ChoosesEveryThingAndNothingElse) {
  const Box left{4, 20, 20, 20}, right{40, 20, 20, 20};
  const data::Sample sample = sample_with({{text::Role::kThing, left},
                                           {text::Role::kIgnored, {28, 0, 8, 8}},
                                           {text::Role::kThing, {0, 0, 0, 0}},
                                           {text::Role::kThing, right}});
  int of_left = 0, of_right = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const CropPair pair = pair_of(sample, i, {.mask_probability = 1});
    if (pair.kind != PairKind::kMask) continue;
    const bool holds_left = sample.regions[0].mask.area_inside(pair.a) == left.area(),
               holds_right = sample.regions[3].mask.area_inside(pair.a) == right.area();
    EXPECT_NE(holds_left, holds_right);
    ++(holds_left ? of_left : of_right);
  }
  EXPECT_NEAR(of_left / double(of_left + of_right), 0.5, 0.07);
}

TEST(MaskPair, FallsBackToAPlainPairAndSaysSo) {
  const data::Sample tiny = sample_with(
      {{text::Role::kThing, {10, 10, 2, 2}}});  // never a tenth of a crop of at least a fifth of the picture
  const data::Sample none = sample_with({{text::Role::kStuff, {0, 0, 64, 64}}});
  for (const data::Sample* sample : {&tiny, &none}) {
    EXPECT_EQ(pair_of(*sample, 0, {.mask_probability = 1}).kind, PairKind::kFellBack);
    EXPECT_EQ(pair_of(*sample, 0, {.mask_probability = 0}).kind, PairKind::kPlain);
    RandomStream random(1, "crops");
    EXPECT_EQ(pair_of(*sample, 0, {.mask_probability = 1}).a,
              plain_pair(sample->image, {}, random).a);  // the same draws as the baseline's
  }
}

TEST(PlainPair, DrawsTwoDifferentCropsOfTheRightSizes) {
  RandomStream random(1, "crops");
  double smallest = 1;
  for (int i = 0; i < 500; ++i) {
    const CropPair pair = plain_pair(vision::Image(64, 64), {}, random);
    EXPECT_FALSE(pair.a == pair.b);
    smallest = std::min(smallest, pair.a.area() / 4096);
  }
  EXPECT_GT(smallest, 0.18);  // 0.2, but for rounding to pixels
  EXPECT_LT(smallest, 0.25);
}

}  // namespace
}  // namespace freeatm::objectives
