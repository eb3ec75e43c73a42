// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/segmentation_metrics.py, and by hand.
#include "freeatm/evaluation/segmentation_metrics.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using Json = nlohmann::json;
using vision::LabelMap;

LabelMap label_row(std::vector<uint8_t> labels) {
  LabelMap map(1, static_cast<int>(labels.size()));
  map.labels = std::move(labels);
  return map;
}

SegmentationResult judged(const LabelMap& truth, const LabelMap& prediction, int64_t classes) {
  SegmentationMetrics metrics(classes, /*boundary=*/true);
  metrics.add(truth, prediction);
  return metrics.result();
}

/// value, length, value, length, ...
LabelMap from_lengths(const Json& picture, const char* key) {
  LabelMap map(picture.at("height"), picture.at("width"));
  map.labels.clear();
  const Json& lengths = picture.at(key);
  for (size_t i = 0; i < lengths.size(); i += 2)
    map.labels.insert(map.labels.end(), lengths[i + 1].get<size_t>(), lengths[i].get<uint8_t>());
  return map;
}

void expect_values(const std::vector<ClassScores>& classes, std::optional<double> ClassScores::*score,
                   const Json& values) {
  ASSERT_EQ(classes.size(), values.size());
  for (size_t k = 0; k < classes.size(); ++k) {
    ASSERT_EQ((classes[k].*score).has_value(), !values[k].is_null()) << k;
    if (values[k].is_null()) continue;
    EXPECT_NEAR(*(classes[k].*score), values[k].get<double>(), 1e-9) << k;
  }
}

TEST(SegmentationMetrics, EqualsScikitLearnAndThePaperOfBoundaries) {
  const auto cases = Json::parse(read_file(testing::test_file("evaluation/data/segmentation_metrics.json")));
  ASSERT_EQ(cases.size(), 10u);
  for (size_t number = 0; number < cases.size(); ++number) {
    SCOPED_TRACE(number);
    const Json& one = cases[number];
    const auto classes = one.at("classes").get<int64_t>();
    SegmentationMetrics all(classes, true);
    for (const Json& picture : one.at("pictures")) {
      SegmentationMetrics part(classes, true);
      part.add(from_lengths(picture, "truth"), from_lengths(picture, "prediction"));
      all.merge(part);
    }
    const SegmentationResult result = all.result();
    EXPECT_EQ(result.pictures, std::ssize(one.at("pictures")));
    auto confusion = std::vector(classes, std::vector<int64_t>(classes));
    for (const auto& entry : one.at("confusion"))
      confusion[entry[0].get<size_t>()][entry[1].get<size_t>()] = entry[2].get<int64_t>();
    EXPECT_EQ(result.confusion, confusion);
    EXPECT_EQ(result.no_class, one.at("no_class").get<std::vector<int64_t>>());
    expect_values(result.classes, &ClassScores::iou, one.at("iou"));
    expect_values(result.classes, &ClassScores::accuracy, one.at("accuracy"));
    expect_values(result.classes, &ClassScores::boundary_iou, one.at("boundary_iou"));
    EXPECT_NEAR(result.mean_iou, one.at("mean_iou").get<double>(), 1e-9);
    EXPECT_NEAR(result.mean_accuracy, one.at("mean_accuracy").get<double>(), 1e-9);
    EXPECT_NEAR(result.pixel_accuracy, one.at("pixel_accuracy").get<double>(), 1e-9);
    EXPECT_NEAR(result.frequency_weighted_iou, one.at("frequency_weighted_iou").get<double>(), 1e-9);
    EXPECT_NEAR(result.mean_boundary_iou.value(), one.at("mean_boundary_iou").get<double>(), 1e-9);
  }
}

TEST(SegmentationMetrics, ClassesThatNobodyHasAreLeftOutThoseThatArePredictedAloneAreZero) {
  EXPECT_EQ(judged(label_row({0, 1, 1, 0}), label_row({0, 1, 1, 0}), 3).mean_iou, 1);
  const SegmentationResult result = judged(label_row({0, 1, 1, 0}), label_row({0, 1, 1, 2}), 4);
  EXPECT_NEAR(result.mean_iou, (.5 + 1 + 0) / 3, 1e-9);
  EXPECT_NEAR(result.mean_accuracy, (.5 + 1) / 2, 1e-9);  // of what the truth has
  EXPECT_NEAR(result.frequency_weighted_iou, .75, 1e-9);
  EXPECT_EQ(result.classes[2].iou, 0.0);
  EXPECT_FALSE(result.classes[2].accuracy);
  EXPECT_FALSE(result.classes[3].iou);
}

TEST(SegmentationMetrics, WhatIsIgnoredCountsNowhereAndNoClassIsWrong) {
  const LabelMap truth = label_row({0, 0, 255, 255, 1}), perfect = label_row({0, 0, 1, 255, 1});
  EXPECT_EQ(judged(truth, perfect, 2).mean_iou, 1);
  EXPECT_EQ(judged(truth, perfect, 2).mean_boundary_iou, 1.0);
  EXPECT_EQ(judged(truth, perfect, 2).pixels, 3);
  const SegmentationResult result = judged(truth, label_row({0, 255, 0, 0, 7}), 2);
  EXPECT_EQ(result.no_class, (std::vector<int64_t>{1, 1}));
  EXPECT_NEAR(result.mean_iou, .25, 1e-9);
  EXPECT_NEAR(result.pixel_accuracy, 1 / 3.0, 1e-9);
  const auto values = testing::by_name(result.metrics({"cat", "dog"}));
  EXPECT_EQ(values.at("pixels_of_no_class"), 2);
  EXPECT_NEAR(values.at("iou_by_class.cat"), .5, 1e-9);
  EXPECT_EQ(values.at("accuracy_by_class.dog"), 0);
  EXPECT_EQ(values.at("mean_boundary_iou"), values.at("mean_iou"));  // of one row all is boundary
}

TEST(SegmentationMetrics, NothingToJudgeIsZero) {
  const SegmentationResult result = judged(label_row({255, 255}), label_row({0, 1}), 2);
  EXPECT_EQ(result.pixels, 0);
  EXPECT_EQ(result.mean_iou, 0);
  EXPECT_EQ(result.pixel_accuracy, 0);
}

TEST(SegmentationMetrics, KnowsWhichLabelIsNone) {
  EXPECT_FALSE(unknown_label(label_row({0, 2, 255}), 3));
  EXPECT_EQ(unknown_label(label_row({0, 9, 3, 255}), 3), 3);
  EXPECT_FALSE(unknown_label(label_row({254, 255}), 255));
  SegmentationMetrics metrics(3, false);
  EXPECT_THROW(metrics.add(label_row({3}), label_row({0})), InternalError);
  EXPECT_THROW(metrics.add(label_row({0, 0}), label_row({0})), InternalError);
  EXPECT_FALSE(metrics.result().mean_boundary_iou);
}

TEST(SegmentationMetrics, TheConfusionIsWritten) {
  const testing::TemporaryFolder folder;
  write_confusion(folder / "confusion.json", {"cat", "dog"}, judged(label_row({0, 1, 1}), label_row({0, 0, 9}), 2));
  const Json json = Json::parse(read_file(folder / "confusion.json"));
  EXPECT_EQ(json, Json::parse(R"({"classes": ["cat", "dog"], "counts": [[1, 0], [1, 0]], "no_class": [0, 1]})"));
}

}  // namespace
}  // namespace freeatm::evaluation
