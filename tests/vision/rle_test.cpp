// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/rle.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/vision/mask_set.h"

#include "testing.h"

namespace freeatm::vision {
namespace {

struct Case {
  int height, width;
  std::vector<uint8_t> mask;
  std::string counts;
  int64_t area;
  Box box;
};

std::vector<Case> cases() {  // scripts/baselines/rle.py
  std::vector<Case> out;
  for (const auto& json : nlohmann::json::parse(read_file(testing::test_file("vision/data/rle.json")))) {
    const auto rows = json["rows"].get<std::vector<std::string>>();
    const auto bbox = json["bbox"].get<std::vector<double>>();
    Case c{static_cast<int>(rows.size()),       static_cast<int>(rows[0].size()), {}, json["counts"], json["area"],
           {bbox[0], bbox[1], bbox[2], bbox[3]}};
    for (const auto& row : rows) {
      for (char digit : row) c.mask.push_back(digit == '1');
    }
    out.push_back(std::move(c));
  }
  return out;
}

TEST(Rle, EqualsPycocotools) {
  ASSERT_GE(cases().size(), 10u);
  for (const Case& c : cases()) {
    const Rle rle = Rle::encode(c.mask.data(), c.height, c.width);
    EXPECT_EQ(rle.counts(), c.counts);
    EXPECT_EQ(rle.area(), c.area) << c.counts;
    if (c.area > 0) {
      EXPECT_EQ(rle.box(), c.box) << c.counts;
    } else {
      EXPECT_TRUE(rle.box().empty());
    }
    EXPECT_EQ(Rle::from_counts(c.counts, c.height, c.width, "x").decode(), c.mask) << c.counts;
  }
}

TEST(Rle, RefusesWhatDoesNotFillThePicture) {
  const std::string counts = cases().back().counts;
  EXPECT_USER_ERROR(Rle::from_counts(counts, 60, 61, "a.json"),
                    "a.json: segmentation: the run lengths fill 3600 of 61x60");
  EXPECT_USER_ERROR(Rle::from_counts(counts, 59, 60, "a.json"), "do not fit");
  EXPECT_USER_ERROR(Rle::from_counts(counts.substr(0, 2), 60, 60, "a.json"), "broken at character 2");
  EXPECT_USER_ERROR(Rle::from_counts("", 2, 2, "a.json"), "fill 0");
  EXPECT_USER_ERROR(Rle::from_counts(" \x80\xff", 2, 2, "a.json"), "broken");
  EXPECT_USER_ERROR(Rle::from_counts("oooooooooooo", 2, 2, "a.json"), "broken");
  EXPECT_USER_ERROR(Rle::from_counts("O", 2, 2, "a.json"), "do not fit");  // -1
}

TEST(MaskSet, AgreesWithItsRle) {
  for (const Case& c : cases()) {
    MaskSet masks(c.height, c.width);
    masks.add(c.mask);
    masks.add(Rle::from_counts(c.counts, c.height, c.width, "x"));
    for (int64_t i = 0; i < 2; ++i) {
      EXPECT_EQ(masks.area(i), c.area);
      EXPECT_EQ(masks.box(i), masks.rle(i).box());
      EXPECT_EQ(masks.rle(i).counts(), c.counts);
      EXPECT_EQ(masks.area_inside(i, {0, 0, double(c.width), double(c.height)}), c.area);
    }
  }
}

TEST(MaskSet, MovesWithThePicture) {
  MaskSet masks(2, 4);
  masks.add({1, 0, 0, 0,  //
             1, 1, 0, 0});
  EXPECT_EQ(masks.flipped().box(0), (Box{2, 0, 2, 2}));
  EXPECT_EQ(masks.flipped().flipped().rle(0).counts(), masks.rle(0).counts());
  EXPECT_EQ(masks.area_inside(0, {0.6, 0, 1.2, 2}), 1);
  EXPECT_EQ(masks.area_inside(0, {-5, -5, 100, 100}), 3);
  const MaskSet larger = masks.cropped_and_resized({0, 0, 2, 2}, 4, 4);
  EXPECT_EQ(larger.area(0), 12);
  EXPECT_EQ(larger[0][3], 0);
  const MaskSet same = masks.cropped_and_resized({0, 0, 4, 2}, 2, 4);
  EXPECT_EQ(same.rle(0).counts(), masks.rle(0).counts());
}

TEST(Box, Intersection) {
  EXPECT_EQ(intersection({0, 0, 4, 4}, {2, 1, 4, 1}), (Box{2, 1, 2, 1}));
  EXPECT_TRUE(intersection({0, 0, 2, 2}, {2, 0, 2, 2}).empty());
}

}  // namespace
}  // namespace freeatm::vision
