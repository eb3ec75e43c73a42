// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/detection_metrics.py, and by hand, as pycocotools 2.0.11 has them where nothing else is
// said.
#include "freeatm/evaluation/coco_metrics.h"

#include <gtest/gtest.h>

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using vision::Box;

data::Object object_at(const Box& box, int64_t category = 0, bool is_crowd = false) {
  return {.id = 1, .category = category, .box = box, .area = box.area(), .is_crowd = is_crowd};
}

data::Object crowd_at(const Box& box) { return object_at(box, 0, /*is_crowd=*/true); }

Detection found_at(const Box& box, double score, int64_t category = 0) {
  return {.category = category, .box = box, .mask = {}, .score = score};
}

CocoResult judged(const std::vector<data::Object>& objects, const std::vector<Detection>& detections,
                  int64_t classes = 1, const CocoMetricsOptions& options = {}) {
  CocoMetrics metrics(classes, IouType::kBox, options);
  metrics.add(1, objects, detections);
  return metrics.result();
}

// pycocotools keeps matches by id, and gives 0 and .252475.
TEST(CocoMetrics, IdsDoNotMatter) {
  const Box first{10, 10, 50, 50}, second{100, 100, 50, 50};
  std::vector<data::Object> objects = {object_at(first)};
  objects[0].id = 0;
  EXPECT_NEAR(judged(objects, {found_at(first, .9)}).mean.ap, 1, 1e-9);
  objects.push_back(object_at(second));
  EXPECT_NEAR(judged(objects, {found_at(first, .9), found_at(second, .8)}).mean.ap, 1, 1e-9);
}

TEST(CocoMetrics, NothingFoundIsZeroAndNothingThereIsMinusOne) {
  const CocoScores scores = judged({object_at({10, 10, 50, 50})}, {}).mean;  // medium
  EXPECT_EQ(scores.ap, 0);
  EXPECT_EQ(scores.ap50, 0);
  EXPECT_EQ(scores.ap_medium, 0);
  EXPECT_EQ(scores.ar, (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(scores.ar_medium, 0);
  EXPECT_EQ(scores.ap_small, -1);
  EXPECT_EQ(scores.ap_large, -1);
  EXPECT_EQ(scores.ar_small, -1);
  EXPECT_EQ(judged({}, {found_at({0, 0, 9, 9}, .5)}).mean.ap, -1);
  EXPECT_EQ(judged({}, {}).mean.ar, (std::vector<double>{-1, -1, -1}));
}

TEST(CocoMetrics, ClassesWithoutObjectsAreLeftOutThoseWithoutDetectionsAreZero) {
  const Box box{10, 10, 20, 20};
  EXPECT_NEAR(judged({object_at(box, 0)}, {found_at(box, .9, 0), found_at(box, .8, 1)}, 3).mean.ap, 1, 1e-9);
  const CocoResult result = judged({object_at(box, 0), object_at(box, 2)}, {found_at(box, .9, 0)}, 3);
  EXPECT_NEAR(result.mean.ap, .5, 1e-9);
  EXPECT_NEAR(result.classes[0].ap, 1, 1e-9);
  EXPECT_EQ(result.classes[1].ap, -1);
  EXPECT_EQ(result.classes[2].ap, 0);
  EXPECT_TRUE(result.curves[1].precision.empty());
}

TEST(CocoMetrics, PrecisionGoesByTheLargestNumberOfDetections) {
  std::vector<data::Object> objects;
  std::vector<Detection> detections;
  for (int i = 0; i < 120; ++i) {
    const Box box{15.0 * (i % 12), 15.0 * static_cast<double>(i / 12), 10, 10};
    objects.push_back(object_at(box));
    detections.push_back(found_at(box, 1 - i / 1000.0));
  }
  const CocoScores scores = judged(objects, detections).mean;
  EXPECT_NEAR(scores.ap, 84.0 / 101, 1e-9);  // .831683
  EXPECT_NEAR(scores.ar[0], 1 / 120.0, 1e-9);
  EXPECT_NEAR(scores.ar[1], 10 / 120.0, 1e-9);
  EXPECT_NEAR(scores.ar[2], 100 / 120.0, 1e-9);
  const CocoScores more = judged(objects, detections, 1, {.max_detections = {1, 10, 300}}).mean;
  EXPECT_NEAR(more.ap, 1, 1e-9);
  EXPECT_NEAR(more.ar[2], 1, 1e-9);
}

TEST(CocoMetrics, ACrowdTakesAnyNumberOfDetections) {
  const std::vector<data::Object> objects = {object_at({10, 10, 20, 20}), crowd_at({100, 0, 100, 200})};
  const Detection right = found_at({10, 10, 20, 20}, .9);
  const auto with = [&](std::vector<Detection> others) {
    others.push_back(right);
    return judged(objects, others).mean;
  };
  EXPECT_NEAR(with({found_at({110, 10, 20, 20}, .95), found_at({140, 50, 20, 20}, .94)}).ap, 1, 1e-9);
  EXPECT_NEAR(with({found_at({89, 10, 20, 20}, .95)}).ap, .5, 1e-9);
  const CocoScores half = with({found_at({90, 10, 20, 20}, .95)});
  EXPECT_NEAR(half.ap, .55, 1e-9);
  EXPECT_NEAR(half.ap50, 1, 1e-9);
  EXPECT_NEAR(half.ap75, .5, 1e-9);
}

TEST(CocoMetrics, AnObjectComesBeforeTheCrowdAroundIt) {
  const CocoScores scores =
      judged({object_at({110, 10, 30, 20}), crowd_at({100, 0, 100, 200})}, {found_at({110, 10, 20, 20}, .9)}).mean;
  EXPECT_NEAR(scores.ap, .4, 1e-9);
  EXPECT_NEAR(scores.ap50, 1, 1e-9);
  EXPECT_EQ(judged({crowd_at({100, 0, 100, 200})}, {found_at({110, 10, 20, 20}, .9)}).mean.ap, -1);
}

TEST(CocoMetrics, AnObjectWithoutAreaIsNeverFound) {
  const Box point{5, 5, 0, 0}, box{50, 50, 10, 10};
  EXPECT_NEAR(judged({object_at(point), object_at(box)}, {found_at(point, .9), found_at(box, .8)}).mean.ap, .252475,
              5e-7);
}

TEST(CocoMetrics, AreasOnABorderCountOnBothSides) {
  const Box box{0, 0, 32, 32};
  const CocoScores scores = judged({object_at(box)}, {found_at(box, .5)}).mean;
  EXPECT_NEAR(scores.ap_small, 1, 1e-9);
  EXPECT_NEAR(scores.ap_medium, 1, 1e-9);
  EXPECT_EQ(scores.ap_large, -1);
}

TEST(CocoMetrics, MasksAreComparedByTheirPixels) {
  data::Object object = object_at({0, 0, 20, 20});
  object.mask = vision::Rle::from_box({0, 0, 10, 10}, 40, 40);
  Detection detection = found_at({0, 0, 20, 20}, .5);
  detection.mask = vision::Rle::from_box({0, 0, 10, 8}, 40, 40);
  CocoMetrics metrics(1, IouType::kMask);
  metrics.add(1, {object}, {detection});
  EXPECT_NEAR(metrics.result().mean.ap, .7, 1e-9);  // IoU .8: seven of ten thresholds
}

/// Twelve pictures on which scores are equal often.
std::pair<std::vector<data::Object>, std::vector<Detection>> tied_picture(int64_t picture) {
  const double shift = static_cast<double>(picture % 4);
  return {
      {object_at({10, 10, 20, 20}), object_at({60, 10, 20, 20})},
      {found_at({10 + shift, 10, 20, 20}, .5), found_at({60, 10 + 3 * shift, 20, 20}, picture % 3 == 0 ? .5 : .75)}};
}

TEST(CocoMetrics, PartsAreMergedInWhateverOrderTheyCome) {
  const auto merged = [](const std::vector<std::vector<int64_t>>& parts) {
    CocoMetrics all(1, IouType::kBox);
    for (const auto& pictures : parts) {
      CocoMetrics part(1, IouType::kBox);
      for (const int64_t picture : pictures) {
        const auto [objects, detections] = tied_picture(picture);
        part.add(picture, objects, detections);
      }
      all.merge(std::move(part));
    }
    return all.result();
  };
  const CocoResult once = merged({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}),
                   parted = merged({{8, 10, 9, 11}, {3, 1, 2, 0}, {7, 6, 5, 4}});
  EXPECT_EQ(once.mean.ap, parted.mean.ap);
  EXPECT_EQ(once.curves[0].precision, parted.curves[0].precision);
  EXPECT_NE(once.mean.ap, merged({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}).mean.ap);
  EXPECT_EQ(once.objects[0], 24);
}

TEST(CocoMetrics, HasTheRowsAndLinesThatUsersKnow) {
  const Box box{10, 10, 50, 50};
  const CocoResult result = judged({object_at(box, 1)}, {found_at(box, .9, 1)}, 2);
  const auto values = testing::by_name(result.metrics({"cat", "dog"}));
  for (const char* name : {"bbox_AP", "bbox_AP50", "bbox_AP75", "bbox_APm", "bbox_AR1", "bbox_AR10", "bbox_AR100",
                           "bbox_ARm", "bbox_AP_by_class.dog", "bbox_AP50_by_class.dog"})
    EXPECT_NEAR(values.at(name), 1, 1e-9) << name;
  for (const char* name : {"bbox_APs", "bbox_APl", "bbox_ARs", "bbox_ARl"}) EXPECT_EQ(values.at(name), -1) << name;
  EXPECT_FALSE(values.contains("bbox_AP_by_class.cat"));
  const std::string summary = result.summary();
  EXPECT_TRUE(summary.starts_with(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 1.000\n"));
  EXPECT_TRUE(
      testing::contains(summary, " Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 1.000\n"));
  EXPECT_TRUE(
      testing::contains(summary, " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 1.000\n"));
  EXPECT_TRUE(
      testing::contains(summary, " Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000\n"));
}

}  // namespace
}  // namespace freeatm::evaluation
