// SPDX-License-Identifier: Apache-2.0
// Mask quality on masks made by hand, where the figures are known, and with models/emoji on a few scenes of the world.
#include "freeatm/evaluation/mask_quality.h"

#include <map>

#include <gtest/gtest.h>

#include "freeatm/data/dataset.h"
#include "freeatm/vision/transforms.h"
#include "freeatm/world/world.h"

#include "metrics.h"
#include "samples.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using testing::by_name;

const diffusion::Pipeline& pipeline() {
  static const auto pipeline = diffusion::Pipeline::load(testing::source_file("models/emoji"), at::kCPU, at::kFloat);
  return pipeline;
}

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

/// The world's scenes at twice their size, and wider.
class Larger final : public data::Dataset {
 public:
  explicit Larger(const data::Dataset& scenes) : scenes_(scenes) {}
  int64_t size() const override { return scenes_.size(); }
  data::Sample get(int64_t index, RandomStream& random) const override {
    data::Sample sample = scenes_.get(index, random);
    const int height = 2 * sample.image.height, width = 2 * sample.image.width, wide = width + 40;
    vision::Image image(height, wide);
    const vision::Image larger = vision::resize(sample.image, height, width);
    for (int y = 0; y < height; ++y) std::copy_n(larger.row(y), 3 * width, image.row(y) + 3 * 20);
    for (data::Region& region : sample.regions) {
      const std::vector<uint8_t> small = region.mask.decode();
      std::vector<uint8_t> mask(static_cast<size_t>(height) * wide);
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x)
          mask[static_cast<size_t>(y) * wide + x + 20] = small[static_cast<size_t>(y / 2) * sample.image.width + x / 2];
      }
      region.mask = vision::Rle::encode(mask.data(), height, wide);
    }
    sample.image = std::move(image);
    return sample;
  }

 private:
  const data::Dataset& scenes_;
};

TEST(MaskQuality, TheModelFindsTheWorldsObjects) {
  const testing::TemporaryFolder folder;
  world::WorldOptions world;
  world.out = (folder / "world").string();
  world.count = 1, world.eval_count = 48;
  world::write_world(world);
  const auto scenes = data::open_coco(world.out + "/scenes", "val");
  const text::PhraseFinder nouns({}, true);
  const auto judge = [&](diffusion::HarvestRunOptions options, const data::Dataset* pictures = nullptr) {
    options.count.reset();
    const auto source = given_pictures(pipeline(), pictures == nullptr ? *scenes : *pictures, nouns, options);
    return by_name(judge_masks(*source, options));
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
  EXPECT_NEAR(judge({}, std::make_unique<Larger>(*scenes).get()).at("mean_iou"), best.at("mean_iou"), 0.03)
      << "pictures of any size";
}

}  // namespace
}  // namespace freeatm::evaluation
