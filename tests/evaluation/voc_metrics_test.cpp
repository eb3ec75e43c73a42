// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/voc_metrics.h"

#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

/// One-based, inclusive corners.
vision::Box voc_box(double x1, double y1, double x2, double y2) { return {x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1}; }

data::Object voc_object(const vision::Box& box, bool is_difficult = false) {
  return {.box = box, .area = box.area(), .is_difficult = is_difficult};
}

Detection voc_detection(const vision::Box& box, double score) { return {.box = box, .mask = {}, .score = score}; }

VocScores voc_scores(const std::vector<data::Object>& objects, const std::vector<Detection>& detections) {
  VocMetrics metrics(1);
  metrics.add(1, objects, detections);
  return metrics.result().mean;
}

TEST(VocMetrics, EqualsTheDevkitsDefinition) {  // values: scripts/baselines/detection_metrics.py
  const auto cases = nlohmann::json::parse(read_file(testing::test_file("evaluation/data/voc_metrics.json")));
  for (const auto& one : cases) {
    const auto classes = one.at("classes").get<std::vector<std::string>>();
    struct Picture {
      std::vector<data::Object> objects;
      std::vector<Detection> detections;
      std::vector<int64_t> lines;
    };
    std::map<std::string, Picture> pictures;
    for (const auto& object : one.at("objects")) {
      data::Object& to = pictures[object.at(0)].objects.emplace_back();
      to.category = std::ranges::find(classes, object.at(1).get<std::string>()) - classes.begin();
      to.box = voc_box(object.at(2), object.at(3), object.at(4), object.at(5));
      to.is_difficult = object.at(6) == 1;
    }
    for (size_t i = 0; i < classes.size(); ++i) {
      for (int64_t line = 0; const auto& found : one.at("detections").at(classes[i])) {
        Picture& picture = pictures[found.at(0)];
        picture.detections.push_back({.category = static_cast<int64_t>(i),
                                      .box = voc_box(found.at(2), found.at(3), found.at(4), found.at(5)),
                                      .mask = {},
                                      .score = found.at(1)});
        picture.lines.push_back(line++);
      }
    }
    const VocMetricsOptions options{.iou_threshold = one.at("iou_threshold")};
    VocMetrics all(std::ssize(classes), options);
    for (int64_t number = 0; const auto& [name, picture] : pictures) {
      VocMetrics part(std::ssize(classes), options);
      part.add(number++, picture.objects, picture.detections, picture.lines);
      all.merge(std::move(part));
    }
    const VocResult result = all.result();
    for (size_t i = 0; i < classes.size(); ++i) {
      EXPECT_NEAR(result.classes[i].ap07, one.at("ap07").at(i).get<double>(), 1e-9);
      EXPECT_NEAR(result.classes[i].ap12, one.at("ap12").at(i).get<double>(), 1e-9);
    }
  }
}

TEST(VocMetrics, DifficultObjectsAreNeitherRightNorWrong) {
  const auto first = voc_box(1, 1, 10, 10), difficult = voc_box(21, 1, 30, 10);
  const VocScores scores =
      voc_scores({voc_object(first), voc_object(difficult, true)},
                 {voc_detection(difficult, .9), voc_detection(difficult, .8), voc_detection(first, .7)});
  EXPECT_NEAR(scores.ap07, 1, 1e-9);
  EXPECT_NEAR(scores.ap12, 1, 1e-9);
}

TEST(VocMetrics, BothWaysOfThePrecision) {
  const auto box = [](double x) { return voc_box(x, 1, x + 9, 10); };
  const VocScores scores =
      voc_scores({voc_object(box(1)), voc_object(box(21)), voc_object(box(41))},
                 {voc_detection(box(1), .9), voc_detection(box(61), .8), voc_detection(box(21), .7)});
  EXPECT_NEAR(scores.ap07, 6 / 11.0, 1e-9);
  EXPECT_NEAR(scores.ap12, 5 / 9.0, 1e-9);
}

TEST(VocMetrics, ASecondDetectionOfAnObjectIsWrong) {
  const auto box = voc_box(1, 1, 10, 10), far = voc_box(31, 1, 40, 10);
  EXPECT_NEAR(voc_scores({voc_object(box), voc_object(far)},
                         {voc_detection(box, .9), voc_detection(box, .8), voc_detection(far, .7)})
                  .ap12,
              (1 + 2 / 3.0) / 2, 1e-9);
}

TEST(VocMetrics, SidesAreOnePixelLongerThanTheirDifference) {
  // 1..2 and 1..4, all rows: 2 of 4 columns, which is enough; without the one more it would be 1 of 3.
  EXPECT_NEAR(voc_scores({voc_object(voc_box(1, 1, 4, 9))}, {voc_detection(voc_box(1, 1, 2, 9), .9)}).ap12, 1, 1e-9);
}

TEST(VocMetrics, ClassesWithoutObjectsAreLeftOut) {
  VocMetrics metrics(3);
  const auto box = voc_box(1, 1, 10, 10);
  data::Object missed = voc_object(box);
  missed.category = 2;
  Detection nowhere = voc_detection(box, .5);
  nowhere.category = 1;
  metrics.add(1, {voc_object(box), missed}, {voc_detection(box, .9), nowhere});
  const auto values = testing::by_name(metrics.result().metrics({"bird", "cat", "cow"}));
  EXPECT_NEAR(values.at("voc07_AP50"), .5, 1e-9);
  EXPECT_NEAR(values.at("voc12_AP50"), .5, 1e-9);
  EXPECT_EQ(values.at("voc12_AP50_by_class.cow"), 0);
  EXPECT_FALSE(values.contains("voc12_AP50_by_class.cat"));
}

}  // namespace
}  // namespace freeatm::evaluation
