// SPDX-License-Identifier: Apache-2.0
// Files of annotations and results, as users give them. Values: scripts/baselines/detection_metrics.py.
#include "freeatm/evaluation/coco_files.h"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "damage.h"
#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using Json = nlohmann::json;

/// 101 at recall 1, 1 at recall 0: tells one curve from another.
double weighted_sum(const std::vector<double>& curve) {
  double sum = 0;
  for (size_t i = 0; i < curve.size(); ++i) sum += static_cast<double>(i + 1) * curve[i];
  return sum;
}

class CocoFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    truth_ =
        Json::parse(R"({"categories": [{"id": 90, "name": "dog"}, {"id": 1, "name": "cat"}, {"id": 3, "name": "cow"}],
      "annotations": [{"image_id": 7, "id": 5, "category_id": 90, "bbox": [10, 10, 20, 20],
                       "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]]}],
      "images": [{"id": 7, "height": 50, "width": 60}, {"id": 2, "height": 50, "width": 60}]})");
    results_ = Json::parse(R"([{"score": 0.5, "bbox": [10, 10, 20, 20], "category_id": 90, "image_id": 7}])");
  }

  CocoFilesOptions options(std::vector<std::string> iou = {}) const {
    return {.annotations = folder_ / "truth.json", .results = folder_ / "results.json", .iou = std::move(iou)};
  }
  std::vector<CocoResult> scores(std::vector<std::string> iou = {}) const {
    testing::write_unsynced(folder_ / "truth.json", truth_.dump());
    testing::write_unsynced(folder_ / "results.json", results_.dump());
    return score_coco_files(options(std::move(iou))).results;
  }
  void expect_refused(const std::string& part, std::vector<std::string> iou = {}) const {
    EXPECT_USER_ERROR(scores(std::move(iou)), part);
  }
  /// Results as text, for what Json cannot write.
  void expect_text_refused(const std::string& text, const std::string& part) const {
    testing::write_unsynced(folder_ / "truth.json", truth_.dump());
    testing::write_unsynced(folder_ / "results.json", text);
    EXPECT_USER_ERROR(score_coco_files(options()), part);
  }

  Json& annotation() { return truth_["annotations"][0]; }
  Json& result() { return results_[0]; }

  testing::TemporaryFolder folder_;
  Json truth_, results_;
};

TEST_F(CocoFiles, EqualsPycocotools) {
  const auto cases = Json::parse(read_file(testing::test_file("evaluation/data/coco_metrics.json")));
  ASSERT_EQ(cases.size(), 16u);
  for (size_t number = 0; number < cases.size(); ++number) {
    SCOPED_TRACE(number);
    const Json& one = cases[number];
    truth_ = one.at("annotations");
    results_ = one.at("results");
    CocoFilesOptions with = options({one.at("iou").get<std::string>()});
    with.metrics = {one.at("iou_thresholds"), one.at("max_detections"), one.at("areas")};
    testing::write_unsynced(with.annotations, truth_.dump());
    testing::write_unsynced(with.results, results_.dump());
    const CocoResult result = score_coco_files(with).results.at(0);
    const CocoScores& mean = result.mean;
    std::vector<double> stats = {mean.ap, mean.ap50, mean.ap75, mean.ap_small, mean.ap_medium, mean.ap_large};
    stats.insert(stats.end(), mean.ar.begin(), mean.ar.end());
    stats.insert(stats.end(), {mean.ar_small, mean.ar_medium, mean.ar_large});
    ASSERT_EQ(stats.size(), one.at("stats").size());
    for (size_t i = 0; i < stats.size(); ++i) EXPECT_NEAR(stats[i], one.at("stats")[i].get<double>(), 1e-9) << i;
    for (size_t k = 0; k < result.classes.size(); ++k) {
      EXPECT_NEAR(result.classes[k].ap, one.at("by_class")[k].get<double>(), 1e-9) << k;
      for (size_t t = 0; t < result.curves[k].precision.size(); ++t) {
        EXPECT_NEAR(weighted_sum(result.curves[k].precision[t]), one.at("curves")[k][t].get<double>(), 1e-9) << k;
        EXPECT_NEAR(weighted_sum(result.curves[k].score[t]), one.at("scores")[k][t].get<double>(), 1e-9) << k;
      }
    }
  }
}

TEST_F(CocoFiles, JudgesWhatTheResultsHold) {
  ASSERT_EQ(scores().size(), 1u);
  EXPECT_NEAR(scores()[0].mean.ap, 1, 1e-9);
  result()["segmentation"] = annotation()["segmentation"];
  ASSERT_EQ(scores().size(), 2u);
  EXPECT_EQ(scores()[1].type, IouType::kMask);
  EXPECT_NEAR(scores()[1].mean.ap, 1, 1e-9);
  EXPECT_EQ(scores({"bbox"}).size(), 1u);
  result().erase("bbox");
  EXPECT_EQ(scores()[0].type, IouType::kMask);
  EXPECT_NEAR(scores({"bbox"})[0].mean.ap, 1, 1e-9);  // the mask's box
}

TEST_F(CocoFiles, WhatIsLeftOutHasItsDefault) {  // no iscrowd, no area: 400 pixels, which is small
  EXPECT_NEAR(scores()[0].mean.ap_small, 1, 1e-9);
  EXPECT_EQ(scores()[0].mean.ap_medium, -1);
  annotation()["area"] = 2000;
  EXPECT_NEAR(scores()[0].mean.ap_medium, 1, 1e-9);
  annotation()["iscrowd"] = 1;
  EXPECT_EQ(scores()[0].mean.ap, -1);
}

TEST_F(CocoFiles, TheAreaOfAMaskIsThatOfTheBoxBesideIt) {
  annotation()["area"] = 400;
  result()["segmentation"] = {{"size", {50, 60}}, {"counts", vision::Rle::from_box({30, 30, 20, 20}, 50, 60).counts()}};
  result()["bbox"] = {0, 0, 60, 50};  // medium
  results_.push_back(result());
  results_[1] = {{"image_id", 7}, {"category_id", 90}, {"score", .25}, {"segmentation", annotation()["segmentation"]}};
  EXPECT_NEAR(scores({"segm"})[0].mean.ap_small, 1, 1e-9);  // the wrong one is not small
  CocoFilesOptions by_mask = options({"segm"});
  by_mask.segm_area = "segm";
  EXPECT_NEAR(score_coco_files(by_mask).results[0].mean.ap_small, .5, 1e-9);
}

TEST_F(CocoFiles, NoResultsAreZero) {
  results_ = Json::array();
  EXPECT_EQ(scores()[0].mean.ap, 0);
  EXPECT_EQ(scores({"segm"})[0].mean.ap, 0);
  EXPECT_EQ(scores()[0].mean.ap_large, -1);
}

TEST_F(CocoFiles, PolygonsOfFewerThanThreePointsAreDropped) {
  result()["segmentation"] = annotation()["segmentation"];
  annotation()["segmentation"].push_back({1, 2, 5, 4});
  EXPECT_NEAR(scores({"segm"})[0].mean.ap, 1, 1e-9);
  annotation()["segmentation"] = {{1, 2, 5, 4}};
  EXPECT_EQ(scores({"segm"})[0].mean.ap, -1);  // nothing is left of the only object
  EXPECT_NEAR(scores({"bbox"})[0].mean.ap, 1, 1e-9);
}

TEST_F(CocoFiles, WrittenResultsCarryTheFilesIds) {
  for (const IouType type : {IouType::kBox, IouType::kMask}) {
    CocoResultWriter writer(folder_ / "written.json", type, {1, 3, 90});
    Detection detection{.category = 2, .box = {10.1, 10, 20, 20}, .mask = {}, .score = 1 / 3.0};
    detection.mask = vision::Rle::from_box({10, 10, 20, 20}, 50, 60);
    writer.add(7, {detection, detection});
    writer.add(2, {});
    EXPECT_FALSE(fs::exists(folder_ / "written.json"));
    writer.commit();
    const Json written = Json::parse(read_file(folder_ / "written.json"));
    ASSERT_EQ(written.size(), 2u);
    EXPECT_EQ(written[0]["category_id"], 90);
    EXPECT_EQ(written[1]["image_id"], 7);
    EXPECT_EQ(written[0]["score"], 1 / 3.0);
    EXPECT_EQ(written[0].value("bbox", Json()), type == IouType::kBox ? Json({10.1, 10.0, 20.0, 20.0}) : Json());
    results_ = written;
    EXPECT_GT(scores()[0].mean.ap50, .99);
    fs::remove(folder_ / "written.json");
  }
  CocoResultWriter(folder_ / "none.json", IouType::kBox, {1}).commit();
  EXPECT_EQ(read_file(folder_ / "none.json"), "[]\n");
}

TEST_F(CocoFiles, RefusesResultsThatDoNotFit) {
  const Json good = results_;
  const auto expect_wrong = [&](const char* key, const Json& value, const std::string& part,
                                std::vector<std::string> iou = {}) {
    results_ = good;
    result()[key] = value;
    expect_refused(part, std::move(iou));
  };
  expect_wrong("image_id", 8, "results.json: image_id: result 0 (image 8) is of no image of");
  expect_wrong("category_id", 2, "results.json: category_id: result 0 (image 7) has 2, the id of no category");
  expect_wrong("score", "high", "results.json: score: result 0: has '\"high\"");
  expect_wrong("image_id", 7.5, "image_id: result 0: has '7.5");
  expect_wrong("bbox", {1, 2, 3}, "bbox: result 0: has 3 numbers");
  expect_wrong("bbox", {1, 2, 3, 4, 5}, "bbox: result 0: has more than 4 numbers");
  for (const char* key : {"image_id", "category_id", "score", "bbox"}) {
    results_ = good;
    result().erase(key);
    expect_refused(std::string("results.json: ") + key + ": result 0");
  }
  expect_wrong("bbox", nullptr, "has none, nor a segmentation");
  expect_wrong("segmentation", nullptr, "result 0 (image 7) has none, so masks cannot be judged", {"segm"});
  const auto mask = vision::Rle::from_box({10, 10, 20, 20}, 60, 50);
  expect_wrong("segmentation", {{"size", {60, 50}}, {"counts", mask.counts()}},
               "result 0 (image 7) is 50x60 pixels; its picture is 60x50");
  expect_wrong("segmentation", {{"size", {50, 60}}, {"counts", {5, 6}}},
               "result 0: segmentation: the run lengths fill");
  expect_wrong("segmentation", {1, 2, 3, 4, 5, 6}, "is a list of numbers");
  results_ = {{"annotations", good}};
  expect_refused("results.json: results: is no list of results");
  const std::string text = good.dump();
  expect_text_refused(text.substr(0, text.size() - 9), "results.json: image_id: result 0: ends where");
  expect_text_refused(text + "x", "is no whole JSON");
  expect_text_refused("", "is no list of results");
  expect_text_refused(R"([{"image_id": 7, "category_id": 90, "bbox": [1, 2, 3, 4], "score": NaN}])",
                      "score: result 0 (image 7) has nan");
  expect_text_refused(R"([{"image_id": 7, "category_id": 90, "bbox": [1, NaN, 3, 4], "score": 1}])", "not finite");
}

TEST_F(CocoFiles, RefusesAnnotationsThatAreNotWhole) {
  const Json good = truth_;
  const auto expect_wrong = [&](const std::string& place, Json value,
                                const std::string& part) {  // a copy: of truth_ itself
    truth_ = good;
    truth_[Json::json_pointer(place)] = std::move(value);
    expect_refused(part);
  };
  expect_wrong("/annotations/1", annotation(), "truth.json: annotations: two of them have the id 5");
  expect_wrong("/images/2", good["images"][0], "truth.json: images: two of them have the id 7");
  expect_wrong("/categories/3", good["categories"][1], "truth.json: categories: two of them have the id 1");
  expect_wrong("/annotations/0/image_id", 8, "annotation 5 has 8, the id of no image");
  expect_wrong("/annotations/0/category_id", 8, "annotation 5 has 8, the id of no category");
  expect_wrong("/annotations/0/bbox", {1, 2, -3, 4}, "annotation 5 is no [x, y, width, height]");
  expect_wrong("/annotations/0/id", nullptr, "annotation 0 has none");
  expect_wrong("/categories/0/name", 3, "name: category 0: has '3");
  expect_wrong("/images", 3, "is no whole COCO annotation file: has '3");
  truth_ = good;
  truth_.erase("images");
  expect_refused("it has no list 'images'");
  truth_ = good;
  annotation()["segmentation"] = Json::array();  // none
  EXPECT_NEAR(scores()[0].mean.ap, 1, 1e-9);
  expect_refused("segmentation: annotation 5 has none, so masks cannot be judged", {"segm"});
}

TEST_F(CocoFiles, DamagedFilesAreScoredOrRefused) {
  result()["segmentation"] = annotation()["segmentation"];
  (void)scores();
  const std::string results = results_.dump(), truth = truth_.dump();
  for (auto* change : {testing::damaged, testing::with_wrong_values}) {
    const auto verdicts = testing::try_damaged(
        results, "results", 300,
        [&](const std::string& text) {
          testing::write_unsynced(folder_ / "results.json", text);
          (void)score_coco_files(options());
        },
        change);
    EXPECT_GT(verdicts.refused, 50);
    EXPECT_GT(verdicts.read, 5);
  }
  testing::write_unsynced(folder_ / "results.json", results);
  for (auto* change : {testing::damaged, testing::with_wrong_values}) {
    testing::try_damaged(
        truth, "truth", 300,
        [&](const std::string& text) {
          testing::write_unsynced(folder_ / "truth.json", text);
          (void)score_coco_files(options());
        },
        change);
  }
}

TEST_F(CocoFiles, CurvesAreWrittenForEachClass) {
  (void)scores();
  write_curves(folder_ / "curves.json", score_coco_files(options()));
  const Json curves = Json::parse(read_file(folder_ / "curves.json"))["bbox"];
  EXPECT_EQ(curves["recall"].size(), 101u);
  EXPECT_EQ(curves["classes"].size(), 1u);
  EXPECT_EQ(curves["classes"]["dog"]["precision"].size(), 10u);
  EXPECT_NEAR(curves["classes"]["dog"]["precision"][9][100].get<double>(), 1, 1e-9);
  EXPECT_EQ(curves["classes"]["dog"]["score"][0][50], .5);
}

}  // namespace
}  // namespace freeatm::evaluation
