// SPDX-License-Identifier: Apache-2.0
// Against vision::augment, which is held to torchvision and PIL in tests/vision.
#include "freeatm/data/planned_views.h"

#include <ATen/ATen.h>

#include "freeatm/core/random.h"

#include "testing.h"
#include "vision/pictures.h"

namespace freeatm::data {
namespace {

using at::Tensor;

struct Size {
  int height, width;
};

/// Soft shapes and hard edges, no two pictures alike.
vision::Image picture_of(Size size, uint64_t number) {
  vision::Image image = vision::noise(size.height, size.width);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width * 3; ++x) {
      uint8_t& value = image.row(y)[x];
      if ((x / 21 + y / 5 + number) % 3 == 0) value = static_cast<uint8_t>(x * 3 + y * 5 + 31 * number);
      if ((x / 33 + y / 9) % 5 == 0) value = static_cast<uint8_t>(number % 2 * 255);
    }
  }
  return image;
}

/// One view of each size, made by the loader and on a device.
struct BothWays {
  Tensor loader, device;  // [B, size, size, 3]

  int64_t worst() const { return (loader.to(at::kInt) - device.to(at::kInt)).abs().max().item<int64_t>(); }
  double share_unlike() const { return loader.ne(device).to(at::kDouble).mean().item<double>(); }
};

BothWays both_ways(const vision::AugmentOptions& options, const std::vector<Size>& sizes, uint64_t seed,
                   int64_t pixels_at_once = 1 << 26) {
  std::vector<View> made(sizes.size()), planned(sizes.size());
  std::vector<std::string> keys;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const vision::Image picture = picture_of(sizes[i], i + seed);
    RandomStream random(seed, "view", 0, i);
    const vision::Box box = vision::random_resized_crop_box(picture.height, picture.width, {0.05, 1}, {0.5, 2}, random);
    const NamedView view{"view", {box, vision::draw_augmentation(options, random)}, options};
    add_views(made[i], picture, {view}, "loader");
    add_views(planned[i], picture, {view}, "device");
    keys.push_back(std::to_string(i));
  }
  Batch batch = collate(std::move(planned), keys);
  make_views(batch, pixels_at_once);
  EXPECT_TRUE(batch.planned.empty());
  return {collate(std::move(made), keys)["view"], batch["view"]};
}

const std::vector<Size> kSizes = {{64, 64}, {97, 40}, {40, 97}, {13, 200}, {200, 13}, {1, 1}, {31, 2}, {150, 150}};

vision::AugmentOptions plain() {
  return {
      .size = 32, .jitter_probability = 0, .grayscale_probability = 0, .blur_probability = 0, .flip_probability = 0.5};
}

TEST(PlannedViews, AreTheLoadersBitForBitWhereNothingIsBlurred) {
  vision::AugmentOptions bicubic = plain(), all = plain();
  bicubic.interpolation = "bicubic";
  all.jitter = {0.8, 0.8, 0.8, 0.5};
  all.jitter_probability = 0.8, all.grayscale_probability = 0.2, all.solarize_probability = 0.3;
  for (const vision::AugmentOptions& options : {plain(), bicubic, all}) {
    for (uint64_t seed = 0; seed < 15; ++seed) EXPECT_EQ(both_ways(options, kSizes, seed).worst(), 0) << seed;
  }
}

TEST(PlannedViews, LargePicturesShrinkBitForBit) {
  vision::AugmentOptions options = plain();
  for (const char* interpolation : {"bilinear", "bicubic"}) {
    options.interpolation = interpolation;
    for (uint64_t seed = 0; seed < 3; ++seed)
      EXPECT_EQ(both_ways(options, {{300, 400}, {420, 380}, {400, 300}}, seed).worst(), 0);
  }
}

TEST(PlannedViews, AreWithinOneWhereTheyAreBlurred) {
  vision::AugmentOptions options = plain();
  options.jitter_probability = 0.5, options.blur_probability = 0.7, options.solarize_probability = 0.3;
  options.blur_sigma = {0.1, 4};
  for (const int64_t size : {32, 7, 1}) {  // of the smaller ones a blur reaches beyond the mirrored picture
    options.size = size;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const BothWays views = both_ways(options, kSizes, seed);
      EXPECT_LE(views.worst(), 1) << size << ", " << seed;
      EXPECT_LT(views.share_unlike(), 0.01) << size << ", " << seed;
    }
  }
}

TEST(PlannedViews, AreTheSameInParts) {
  vision::AugmentOptions options = plain();
  options.blur_probability = 0.5;
  const Tensor whole = both_ways(options, kSizes, 3).device;
  for (const int64_t pictures : {1, 3, 8})
    EXPECT_TRUE(both_ways(options, kSizes, 3, pictures * 200 * 200).device.equal(whole)) << pictures;
}

TEST(PlannedViews, OfOneBatchAreAlike) {
  std::vector<View> views(2);
  add_views(views[0], picture_of({8, 8}, 0), {{"view", {{0, 0, 8, 8}, {}}, plain()}}, "device");
  EXPECT_THROW(collate(std::move(views), {"a", "b"}), InternalError);
}

}  // namespace
}  // namespace freeatm::data
