// SPDX-License-Identifier: Apache-2.0
// Mask quality on masks made by hand, where the figures are known.
#include "freeatm/evaluation/mask_quality.h"

#include <gtest/gtest.h>

#include "metrics.h"
#include "samples.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using testing::by_name;

/// A picture whose dog is [x, x + side) x [y, y + side), and was found to be `found`.
data::Sample picture(const vision::Box& dog, const vision::Box& found) {
  data::Sample sample;
  sample.image = vision::Image(64, 64);
  testing::add_region(sample, "Dog", text::Role::kThing, testing::rectangle(64, 64, found)).exact =
      vision::Rle::from_box(dog, 64, 64);
  testing::add_region(sample, "grass", text::Role::kStuff, testing::rectangle(64, 64, {0, 0, 64, 64}));
  sample.regions[1].exact = sample.regions[1].mask;
  testing::set_caption(sample, "a photo of a Dog on the grass",
                       {{"Dog", text::Role::kThing, {13, 16}, {4}}, {"grass", text::Role::kStuff, {24, 29}, {7}}});
  return sample;
}

TEST(MaskQuality, FiguresOfSquares) {
  MaskQuality quality;
  EXPECT_USER_ERROR(quality.result(), "no picture has a thing");
  const std::vector<diffusion::MaskScores> scores(2);
  quality.add(picture({16, 16, 32, 32}, {16, 16, 32, 16}), scores, {16, 16});
  quality.add(picture({0, 0, 16, 16}, {0, 0, 16, 16}), scores, {16, 16});
  const auto result = by_name(quality.result());
  EXPECT_EQ(result.at("objects"), 2);  // stuff is not judged
  EXPECT_EQ(result.at("pictures"), 2);
  EXPECT_EQ(result.at("mean_iou"), 0.75);  // half of the first, and all of the second
  EXPECT_EQ(result.at("recall"), 0.5) << "an IoU of a half is not above a half";
  EXPECT_EQ(result.at("centred_square_iou"), 0.5);  // the first is centred, the second lies clear of the middle
  EXPECT_EQ(result.at("shuffled_iou"), 0);          // they do not meet
  EXPECT_EQ(result.at("permuted_iou"), 0);          // no picture has two things
  EXPECT_EQ(result.at("iou_by_things.1"), result.at("mean_iou"));
  EXPECT_EQ(result.at("iou_by_class.dog"), result.at("mean_iou"));
  // Squares on the grid's lines lose nothing but their corners inside the picture: 4 pixels of 1024, one of 256.
  EXPECT_DOUBLE_EQ(result.at("ceiling_iou"), (1020.0 / 1024 + 255.0 / 256) / 2);
}

TEST(MaskQuality, JudgesOnlyWhatIsKnownAndNamed) {
  MaskQuality quality;
  const std::vector<diffusion::MaskScores> scores(2);
  data::Sample unknown = picture({0, 0, 8, 8}, {0, 0, 8, 8}), cut = unknown;
  unknown.regions[0].exact.reset();
  cut.captions[0].phrases[0].tokens.clear();
  quality.add(unknown, scores, {16, 16});
  quality.add(cut, scores, {16, 16});
  EXPECT_USER_ERROR(quality.result(), "no picture has a thing");
}

}  // namespace
}  // namespace freeatm::evaluation
