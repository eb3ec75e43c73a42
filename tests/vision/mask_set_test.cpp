// SPDX-License-Identifier: Apache-2.0
// Crops and flips against torchvision: transforms_test.cpp.
#include "freeatm/vision/mask_set.h"

#include "freeatm/core/random.h"

#include "testing.h"

namespace freeatm::vision {
namespace {

TEST(MaskSet, AgreesWithItsRunLengths) {
  RandomStream random(1, "masks");
  MaskSet masks(13, 17);
  std::vector<Rle> added;
  for (int i = 0; i < 40; ++i) {
    std::vector<uint8_t> mask(13 * 17);
    const double share = random.uniform() * random.uniform();
    for (auto& value : mask) value = random.bernoulli(share);
    added.push_back(Rle::encode(mask.data(), 13, 17));
    i % 2 ? masks.add(mask) : masks.add(added.back());
  }
  added.push_back({13, 17, {13 * 17}});  // nothing
  masks.add(added.back());
  ASSERT_EQ(masks.count(), 41);
  for (int64_t i = 0; i < masks.count(); ++i) {
    EXPECT_EQ(masks.rle(i), added[i]);
    EXPECT_EQ(masks.area(i), added[i].area());
    EXPECT_EQ(masks.box(i), added[i].box());
  }
}

TEST(MaskSet, MovesWithThePicture) {
  MaskSet masks(2, 4);
  masks.add({1, 0, 0, 0,  //
             1, 1, 0, 0});
  MaskSet flipped = masks;
  flipped.horizontal_flip();
  EXPECT_EQ(flipped.box(0), (Box{2, 0, 2, 2}));
  EXPECT_EQ(masks.box(0), (Box{0, 0, 2, 2}));  // a value: the copy was moved alone
  const MaskSet larger = masks.resized_crop({0, 0, 2, 2}, 4, 4);
  EXPECT_EQ(larger.area(0), 12);
  EXPECT_EQ(larger[0][3], 0);
  EXPECT_EQ(masks.resized_crop({0, 0, 4, 2}, 2, 4).rle(0), masks.rle(0));
  EXPECT_EQ(masks.resized_crop({1, 1, 2, 1}, 1, 2).rle(0), (Rle{1, 2, {0, 1, 1}}));
}

}  // namespace
}  // namespace freeatm::vision
