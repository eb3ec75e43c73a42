// SPDX-License-Identifier: Apache-2.0
// Mask quality with models/emoji: on pictures made by hand, where the controls are known, and on a few scenes of the
// world.
#include "freeatm/evaluation/mask_quality.h"

#include <map>

#include <gtest/gtest.h>

#include "freeatm/data/dataset.h"
#include "freeatm/world/world.h"

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using testing::by_name;

const diffusion::Pipeline& pipeline() {
  static const auto pipeline = diffusion::Pipeline::load(testing::source_file("models/emoji"), at::kCPU, at::kFloat);
  return pipeline;
}

/// A grey picture whose dog is said to be [x, x + side) x [y, y + side).
data::Sample picture(int x, int y, int side) {
  data::Sample sample;
  sample.image = vision::Image(64, 64);
  std::fill(sample.image.pixels.begin(), sample.image.pixels.end(), 128);
  sample.caption = "a photo of a dog on the grass";
  sample.phrases = {{.text = "dog", .role = text::Role::kThing, .span = {13, 16}},
                    {.text = "grass", .role = text::Role::kStuff, .span = {24, 29}}};
  std::vector<uint8_t> mask(64 * 64, 0);
  for (int row = y; row < y + side; ++row) std::fill_n(mask.begin() + row * 64 + x, side, 1);
  sample.masks = vision::MaskSet(64, 64);
  sample.masks.add(mask);
  sample.masks.add(std::vector<uint8_t>(64 * 64, 1));
  return sample;
}

TEST(MaskQuality, ControlsOfSquares) {
  MaskQuality quality(pipeline(), {.harvest = {.timesteps = {200}}});
  quality.process(std::vector{picture(16, 16, 32), picture(0, 0, 16)});
  const auto result = by_name(quality.result());
  EXPECT_EQ(result.at("objects"), 2);  // stuff is not judged
  EXPECT_EQ(result.at("pictures"), 2);
  EXPECT_EQ(result.at("centred_square_iou"), 0.5);  // the first is centred, the second lies clear of the middle
  // A grey picture shows no dog: its masks agree with neither square by more than chance, nor with the other's.
  EXPECT_LT(result.at("shuffled_iou"), 0.5);
  EXPECT_EQ(result.at("permuted_iou"), 0);  // no picture has two things
  EXPECT_EQ(result.at("iou_by_things.1"), result.at("mean_iou"));
  EXPECT_EQ(result.at("iou_by_class.dog"), result.at("mean_iou"));
  // Squares on the grid's lines lose nothing but their corners inside the picture: 4 pixels of 1024, one of 256.
  EXPECT_DOUBLE_EQ(result.at("ceiling_iou"), (1020.0 / 1024 + 255.0 / 256) / 2);

  quality.reset();
  EXPECT_USER_ERROR(quality.result(), "no picture has a thing");
}

TEST(MaskQuality, RefusesPicturesOfMixedSizes) {
  MaskQuality quality(pipeline(), {.harvest = {.timesteps = {200}}});
  auto samples = std::vector{picture(16, 16, 32), picture(0, 0, 16)};
  samples[1].image = vision::Image(64, 60);
  EXPECT_USER_ERROR(quality.process(samples), "60 x 64");
}

TEST(MaskQuality, TheModelFindsTheWorldsObjects) {
  const testing::TemporaryFolder folder;
  world::WorldOptions world;
  world.out = (folder / "world").string();
  world.count = 1, world.eval_count = 48;
  world::write_world(world);
  const auto scenes = data::open_coco(world.out + "/scenes", "val");
  RandomStream unused(0, "test");
  std::vector<data::Sample> samples;
  for (int64_t i = 0; i < scenes->size(); ++i) samples.push_back(scenes->get(i, unused));

  const auto judge = [&](const MaskQualityOptions& options) {
    MaskQuality quality(pipeline(), options);
    quality.process(samples);
    return by_name(quality.result());
  };
  const auto best = judge({});
  EXPECT_NEAR(best.at("mean_iou"), 0.86, 0.06);  // .861 on 256 scenes; 48 scatter around it
  EXPECT_NEAR(best.at("ceiling_iou"), 0.89, 0.03);
  EXPECT_LT(best.at("centred_square_iou"), 0.25);
  EXPECT_LT(best.at("shuffled_iou"), 0.2);
  EXPECT_LT(best.at("permuted_iou"), 0.15);
  EXPECT_GT(best.at("recall"), 0.88);
  EXPECT_GT(best.at("boundary_f"), 0.7);
  EXPECT_GT(best.at("rank_correlation.certainty"), 0);
  EXPECT_LT(judge({.masks = {.refine = "none"}}).at("mean_iou"), best.at("mean_iou"));
  // Deep grids know that a word is in the picture, not where.
  EXPECT_LT(judge({.harvest = {.scales = {4}, .blocks = {"down", "mid", "up"}, .timesteps = {200}}}).at("mean_iou"),
            0.4);
}

}  // namespace
}  // namespace freeatm::evaluation
