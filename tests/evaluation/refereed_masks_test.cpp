// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/refereed_masks.h"

#include <gtest/gtest.h>

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

constexpr int kRefereed = 8;  // pixels a side
constexpr uint8_t kBackground = 0, kDog = 1, kCat = 2;
const std::vector<std::string> kClasses = {"background", "dog", "cat"};

struct Thing {
  std::string name;
  vision::Box mask;
};

/// Its label map is what the referee will see.
data::Sample picture(const std::string& key, const std::vector<Thing>& things,
                     const std::vector<std::pair<uint8_t, vision::Box>>& seen) {
  data::Sample sample;
  sample.key = key;
  sample.image = vision::Image(kRefereed, kRefereed);
  sample.label_map = vision::LabelMap(kRefereed, kRefereed, kBackground);
  for (const auto& [name, mask] : things)
    sample.regions.push_back({.name = name, .mask = vision::Rle::from_box(mask, kRefereed, kRefereed)});
  for (const auto& [label, box] : seen) {
    for (int y = static_cast<int>(box.y); y < box.y + box.height; ++y) {
      for (int x = static_cast<int>(box.x); x < box.x + box.width; ++x) sample.label_map.row(y)[x] = label;
    }
  }
  return sample;
}

std::vector<vision::LabelMap> look(std::span<const data::Sample> samples) {
  std::vector<vision::LabelMap> maps;
  for (const data::Sample& sample : samples) maps.push_back(sample.label_map);
  return maps;
}

const vision::Box kUpper{0, 0, 8, 4}, kLeft{0, 0, 4, 8}, kRight{4, 0, 4, 8}, kCorner{0, 0, 4, 4};

TEST(RefereedMasks, AreComparedWithWhatTheRefereeSees) {
  RefereedMasks masks(look, kClasses);
  masks.process(std::vector{
      picture("both", {{"a small dog", kLeft}, {"Cat", kRight}}, {{kDog, kLeft}, {kCat, {4, 0, 2, 8}}}),
      picture("two dogs", {{"dog", kCorner}, {"dogs", {4, 0, 4, 4}}}, {{kDog, kUpper}}),  // one dog: the union
  });
  masks.process(std::vector{
      picture("not there", {{"cat", kLeft}, {"unicorn", kRight}}, {{kDog, kLeft}}),
      picture("nothing named", {{"unicorn", kRight}}, {}),
  });
  const auto metrics = testing::by_name(masks.result());
  EXPECT_EQ(metrics.at("pictures"), 4);
  EXPECT_EQ(metrics.at("things"), 4);
  EXPECT_EQ(metrics.at("unmapped_things"), 2);
  EXPECT_EQ(metrics.at("seen"), 3.0 / 4);
  EXPECT_DOUBLE_EQ(metrics.at("mean_iou"), (1 + 0.5 + 1) / 3);
  EXPECT_DOUBLE_EQ(metrics.at("mean_iou_of_all"), (1 + 0.5 + 1) / 4);
  EXPECT_DOUBLE_EQ(metrics.at("recall"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.at("permuted_iou"), 0);
  EXPECT_DOUBLE_EQ(metrics.at("iou_by_class.dog"), 1);
  EXPECT_DOUBLE_EQ(metrics.at("iou_by_class.cat"), 0.5);

  ASSERT_EQ(masks.picture_scores().size(), 3U);
  EXPECT_EQ(masks.picture_scores()[0].key, "both");
  EXPECT_EQ(masks.picture_scores()[0].score, 0.75);
  EXPECT_EQ(masks.picture_scores()[1].score, 1);
  EXPECT_EQ(masks.picture_scores()[2].score, 0);
}

TEST(RefereedMasks, CountAsNothingWhereTheyAreEmpty) {
  RefereedMasks masks(look, kClasses);
  data::Sample unknown = picture("unknown", {{"dog", kLeft}}, {{kDog, kLeft}});
  unknown.regions[0].mask = {};
  masks.process(std::vector{unknown});
  EXPECT_USER_ERROR(masks.result(), "no thing of its 1 pictures has a mask");
  masks.process(std::vector{picture("one", {{"dog", kLeft}}, {{kDog, kLeft}})});
  EXPECT_DOUBLE_EQ(testing::by_name(masks.result()).at("mean_iou"), 0.5);
}

TEST(RefereedMasks, NeedAThingThatTheRefereeKnows) {
  RefereedMasks masks(look, kClasses);
  masks.process(std::vector{picture("", {{"unicorn", kRight}}, {})});
  EXPECT_USER_ERROR(masks.result(), "none of the 1 things in the captions is of one of its 3 classes");
}

}  // namespace
}  // namespace freeatm::evaluation
