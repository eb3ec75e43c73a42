// SPDX-License-Identifier: Apache-2.0
// What detectors see of a picture, and what a plain transformer is made for them.
#include <cmath>
#include <set>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/models/clip_vision.h"
#include "freeatm/models/detection/images.h"

#include "detectors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

TEST(Detection, ViewsAreMirroredWithTheirBoxesAndMasks) {
  DetectionOptions options = small_detection();
  for (const double probability : {0.0, 1.0}) {
    options.flip_probability = probability;
    RandomStream random(0, "view");
    const data::View view = detector(options)->prepare(two_objects(), random, 0);
    const std::vector<float> box =
        probability == 0 ? std::vector<float>{2, 5, 12, 25} : std::vector<float>{28, 5, 38, 25};
    EXPECT_TRUE(view.ragged.at("boxes").equal(at::tensor(box).view({1, 4}))) << view.ragged.at("boxes");
    EXPECT_EQ(view.ragged.at("labels").item<int64_t>(), 1) << "0 is the background";
    Tensor mask = at::zeros({30, 40}, at::kByte);
    mask.slice(0, 5, 25).slice(1, static_cast<int64_t>(box[0]), static_cast<int64_t>(box[2])).fill_(1);
    EXPECT_TRUE(view.ragged.at("masks").view({30, 40}).equal(mask));
  }
}

TEST(Detection, DropsBranchesOfTheBackboneAsEachSampleDraws) {
  DetectionOptions options = small_vitdet();
  options.drop_path = 0.9;
  const auto dropping = vit_detector(options), whole = vit_detector(small_vitdet());
  data::Batch batch = detection_batch(*dropping, {two_objects(), two_objects()});
  const std::vector<double> rates{0, 0, 0.9, 0.9};
  for (uint64_t i = 0; i < 2; ++i) {
    const RandomStream random(0, "view", 0, i);
    EXPECT_TRUE(batch["paths"][static_cast<int64_t>(i)].equal(models::draw_path_scales(rates, random.fork("paths"))));
  }
  const data::Batch without = detection_batch(*whole, {two_objects(), two_objects()});
  EXPECT_FALSE(without.tensors.contains("paths"));
  const double expected = total_loss(*whole, without);
  batch.tensors["paths"] = at::ones({2, 4});
  EXPECT_NEAR(total_loss(*dropping, batch), expected, 1e-5);
  batch.tensors["paths"] = at::zeros({2, 4});
  EXPECT_GT(std::abs(total_loss(*dropping, batch) - expected), 1e-4);
}

TEST(Detection, ABackboneWithoutBranchesDropsNone) {
  DetectionOptions options = small_vitdet();
  options.drop_path = 0.1;
  const auto clip = std::make_shared<models::ClipVision>(
      models::ClipVisionOptions{.image_size = 32, .patch_size = 8, .dim = 16, .depth = 2, .heads = 2, .mlp_dim = 32});
  EXPECT_USER_ERROR(Detection(clip, 3, options, 0), "objective.drop_path: this model has no branches");
}

TEST(Detection, FitsAPlainTransformerAsViTDetDoes) {
  DetectionOptions options;
  options.short_sides = {64}, options.long_side = 96;
  models::ModelOptions as_it_is("vit"), in_windows("vit"), resnet("resnet");
  options.fit(as_it_is);
  EXPECT_EQ(config::dump(as_it_is).find("image_size")->text(), "64");
  EXPECT_EQ(config::dump(as_it_is).find("class_token")->text(), "true");
  options.window_size = 14;
  options.is_square = true;
  options.fit(in_windows);
  EXPECT_EQ(config::dump(in_windows).find("image_size")->text(), "96");
  EXPECT_EQ(config::dump(in_windows).find("window_size")->text(), "14");
  EXPECT_EQ(config::dump(in_windows).find("class_token")->text(), "false");
  EXPECT_USER_ERROR(options.fit(resnet), "objective.window_size: a resnet has neither");
  options.window_size = 0;
  options.relative_positions = true;
  EXPECT_USER_ERROR(options.fit(resnet), "objective.relative_positions: a resnet has neither");
}

TEST(ScaleJitter, SeesAPictureAtTheDrawnSizeAndCutsWhatIsLarger) {
  RandomStream random(0, "jitter");
  const JitteredCrop fitting = draw_scale_jitter(300, 400, 200, 1, 1, random);
  EXPECT_EQ(fitting.crop, (vision::Box{0, 0, 400, 300}));
  EXPECT_EQ(fitting.seen, (std::array<int64_t, 2>{150, 200}));
  const JitteredCrop smaller = draw_scale_jitter(300, 400, 200, 0.1, 0.1, random);
  EXPECT_EQ(smaller.seen, (std::array<int64_t, 2>{15, 20}));
  std::set<double> places;
  for (int i = 0; i < 200; ++i) {
    const JitteredCrop one = draw_scale_jitter(300, 400, 200, 0.1, 2, random);
    const vision::Box& crop = one.crop;
    EXPECT_EQ(vision::intersection(crop, {0, 0, 400, 300}), crop);
    EXPECT_LE(std::max(one.seen[0], one.seen[1]), 200);
    const double down = static_cast<double>(one.seen[0]) / crop.height,
                 across = static_cast<double>(one.seen[1]) / crop.width;
    EXPECT_NEAR(down / across, 1, 0.1) << "at worst 15 or 16 of 20 or 21 pixels";
    if (one.seen[1] == 200 && crop.width < 400) places.insert(crop.x);
  }
  EXPECT_GT(places.size(), 20u);
}

TEST(Detection, JitteredViewsKeepBoxesAndMasksTogether) {
  DetectionOptions options = small_detection();
  options.scale_jitter = {0.1, 2.0};
  options.long_side = 32;
  const auto model = detector(options);
  std::set<int64_t> counts;
  for (uint64_t i = 0; i < 50; ++i) {
    RandomStream random(0, "view", 0, i);
    const data::View view = model->prepare(two_objects(), random, 0);
    const Tensor size = view.at("size"), boxes = view.ragged.at("boxes");
    const int64_t height = size[0].item<int64_t>(), width = size[1].item<int64_t>();
    EXPECT_EQ(view.ragged.at("pixels").size(0), height * width);
    const Tensor masks = view.ragged.at("masks").view({-1, height, width});
    ASSERT_EQ(masks.size(0), boxes.size(0));
    counts.insert(masks.size(0));
    if (masks.size(0) == 0) continue;
    Tensor expected = at::zeros({height, width}, at::kByte);
    const auto at = [&](int64_t i) { return boxes[0][i].item<int64_t>(); };
    expected.slice(0, at(1), at(3)).slice(1, at(0), at(2)).fill_(1);
    EXPECT_TRUE(masks[0].equal(expected));
  }
  EXPECT_EQ(counts, (std::set<int64_t>{0, 1})) << "of some views the object lies outside";
}

TEST(Detection, JitteredViewsTrainWithAndWithoutObjects) {
  DetectionOptions options = small_detection();
  options.scale_jitter = {0.1, 2.0};
  options.is_square = true;
  const auto model = detector(options);
  for (uint64_t seed = 0; seed < 4; ++seed) {
    const data::Batch batch = detection_batch(*model, {two_objects(), two_objects()}, seed);
    EXPECT_TRUE(std::isfinite(total_loss(*model, batch)));
  }
  EXPECT_EQ(models::padded_images({at::zeros({3, 20, 30})}, 50).images.sizes(), (std::vector<int64_t>{1, 3, 64, 64}));
}

}  // namespace
}  // namespace freeatm::objectives
