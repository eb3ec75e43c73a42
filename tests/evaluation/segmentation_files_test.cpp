// SPDX-License-Identifier: Apache-2.0
// Folders of PNGs, as users give them.
#include "freeatm/evaluation/segmentation_files.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "damage.h"
#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using vision::LabelMap;

class SegmentationFiles : public ::testing::Test {
 protected:
  SegmentationFiles() { options_.truth = truth().string(), options_.predictions = predictions().string(); }

  fs::path truth() const { return folder_ / "truth"; }
  fs::path predictions() const { return folder_ / "predictions"; }

  static std::string png(const std::vector<uint8_t>& labels, int height = 1) {
    LabelMap map(height, static_cast<int>(labels.size()) / height);
    map.labels = labels;
    return vision::encode_label_png(map);
  }
  static void write(const fs::path& file, const std::string& bytes) {
    fs::create_directories(file.parent_path());
    testing::write_unsynced(file, bytes);
  }
  void write_pair(const std::string& name, const std::vector<uint8_t>& of_truth,
                  const std::vector<uint8_t>& predicted) {
    write(truth() / (name + ".png"), png(of_truth));
    write(predictions() / (name + ".png"), png(predicted));
  }
  std::map<std::string, double> scores() {
    fs::create_directories(out());
    return testing::by_name(score_segmentation_files(options_, score_, out()));
  }
  fs::path out() const { return folder_ / "out"; }

  testing::TemporaryFolder folder_;
  SegmentationFilesOptions options_{.classes = 3};
  SegmentationScoreOptions score_;
};

TEST_F(SegmentationFiles, AreCountedTogether) {
  write_pair("a", {0, 0, 1, 255}, {0, 1, 1, 1});
  write_pair("b", {0, 0, 0, 1}, {0, 0, 0, 1});
  const auto values = scores();
  EXPECT_EQ(values.at("pictures"), 2);
  EXPECT_EQ(values.at("pixels"), 7);
  EXPECT_NEAR(values.at("mean_iou"), (4 / 5.0 + 2 / 3.0) / 2, 1e-9);
  EXPECT_NEAR(values.at("iou_by_class.1"), 2 / 3.0, 1e-9);
  EXPECT_TRUE(values.contains("mean_boundary_iou"));
  const auto examples = nlohmann::json::parse(read_file(out() / "examples.json"));
  ASSERT_EQ(examples.size(), 1u);
  EXPECT_EQ(examples[0]["title"], "a: 33.3 % wrong");
  EXPECT_EQ(examples[0]["cells"].size(), 3u) << "nobody has the picture";
  EXPECT_TRUE(fs::exists(out() / "confusion.json"));
  score_.boundary = false, score_.limit = 1;
  EXPECT_EQ(scores().at("pictures"), 1);
  EXPECT_FALSE(scores().contains("mean_boundary_iou"));
}

TEST_F(SegmentationFiles, AreNamedByAFileOfNames) {
  write_pair("a", {0, 1}, {0, 0});
  write(folder_ / "names.txt", "road\r\nsky\n\n");
  options_.classes.reset();
  options_.class_names = folder_ / "names.txt";
  EXPECT_NEAR(scores().at("iou_by_class.road"), .5, 1e-9);
  options_.classes = 3;
  EXPECT_USER_ERROR(scores(), "class_names: has 2 names for 3 classes");
  options_.ids = "ade20k";
  EXPECT_USER_ERROR(scores(), "classes: 3 are given; ids=ade20k has 150");
  options_.classes.reset();
  EXPECT_USER_ERROR(scores(), "class_names: has 2 names for 150 classes");
  write(folder_ / "names.txt", "road\nroad\n");
  EXPECT_USER_ERROR(scores(), "names.txt: class_names: 'road' stands twice");
  write(folder_ / "names.txt", "\n");
  EXPECT_USER_ERROR(scores(), "has 0 names");
  options_ = {.predictions = options_.predictions, .truth = options_.truth};
  EXPECT_USER_ERROR(scores(), "classes: is not given, nor class_names");
}

TEST_F(SegmentationFiles, AdesZeroIsNoClass) {
  write_pair("a", {0, 1, 150, 255, 2}, {7, 1, 150, 7, 0});
  options_.ids = "ade20k", options_.classes.reset();
  const auto values = scores();
  EXPECT_EQ(values.at("pixels"), 3);
  EXPECT_EQ(values.at("pixels_of_no_class"), 1);
  EXPECT_NEAR(values.at("mean_iou"), 2 / 3.0, 1e-9);
  EXPECT_EQ(values.at("iou_by_class.150"), 1);
  write_pair("b", {1, 151}, {1, 1});
  EXPECT_USER_ERROR(scores(), "truth/b.png: truth: holds the number 151, which is that of none of the 150 classes");
}

TEST_F(SegmentationFiles, CityscapesAreReadByTheirLabelIdsAndNames) {
  const std::vector<uint8_t> ids = {7, 11, 29, 33, 255, 77};  // a caravan, a plate, and what nobody knows
  for (const char* name : {"bonn/bonn_000000_000019", "ulm/ulm_000000_000019"}) {
    for (const char* kind : {"labelIds", "instanceIds", "color"})
      write(truth() / (std::string(name) + "_gtFine_" + kind + ".png"),
            kind == std::string("labelIds") ? png(ids) : png({1, 2}));
    write(predictions() / (fs::path(name).stem().string() + "_leftImg8bit.png"), png({7, 11, 7, 7, 7, 7}));
  }
  options_.ids = "cityscapes", options_.classes.reset();
  const auto values = scores();
  EXPECT_EQ(values.at("pictures"), 2);
  EXPECT_EQ(values.at("pixels"), 6);
  EXPECT_EQ(values.at("iou_by_class.building"), 1);
  EXPECT_NEAR(values.at("iou_by_class.road"), .5, 1e-9);
  EXPECT_EQ(values.at("iou_by_class.bicycle"), 0);
  options_.ids = "indices", options_.classes = 19;
  EXPECT_USER_ERROR(scores(), "truth: truth: holds no PNG of classes (ids=indices)");
}

TEST_F(SegmentationFiles, WithOneNameTwiceArePairedByTheirPaths) {
  write_pair("a/1", {0, 1}, {0, 1});
  write_pair("b/1", {1, 1}, {1, 1});
  EXPECT_EQ(scores().at("mean_iou"), 1);
  fs::rename(predictions() / "b", predictions() / "c");
  EXPECT_USER_ERROR(scores(), "predictions: lacks 1 of 2 pictures that the truth has, first b/1");
}

TEST_F(SegmentationFiles, AnotherNumberMayBeIgnored) {
  write_pair("a", {0, 1, 2, 255}, {0, 1, 0, 0});
  options_.ignore = 0;
  const auto values = scores();
  EXPECT_EQ(values.at("pixels"), 2);
  EXPECT_FALSE(values.contains("iou_by_class.0"));
  EXPECT_NEAR(values.at("mean_iou"), .5, 1e-9);
}

TEST_F(SegmentationFiles, PredictionsOfNoClassAreWrong) {
  write_pair("a", {0, 1, 1, 1}, {0, 9, 255, 1});
  const auto values = scores();
  EXPECT_EQ(values.at("pixels_of_no_class"), 2);
  EXPECT_NEAR(values.at("iou_by_class.1"), 1 / 3.0, 1e-9);
}

TEST_F(SegmentationFiles, RefusesWhatDoesNotFit) {
  EXPECT_USER_ERROR(scores(), "truth: truth: no such folder");
  fs::create_directories(truth());
  EXPECT_USER_ERROR(scores(), "truth: truth: holds no PNG of classes");
  write_pair("a", {0, 1}, {0, 1});
  write(truth() / "b.png", png({0, 1}));
  write(truth() / "c.PNG", png({0, 1}));
  EXPECT_USER_ERROR(scores(), "predictions: predictions: lacks 2 of 3 pictures that the truth has, first b");
  fs::remove(truth() / "b.png");
  fs::remove(truth() / "c.PNG");
  write(predictions() / "more.png", "which nobody reads");
  EXPECT_EQ(scores().at("mean_iou"), 1);
  write_pair("a", {0, 1}, {0, 1, 2});
  EXPECT_USER_ERROR(scores(), "predictions/a.png: predictions: is 3x1 pixels; its truth, ");
  write_pair("a", {0, 3}, {0, 1});
  EXPECT_USER_ERROR(scores(), "truth/a.png: truth: holds the number 3, which is that of none of the 3 classes");
  write_pair("a", {255, 255}, {0, 1});
  EXPECT_USER_ERROR(scores(), "truth: truth: no pixel has a class");
  vision::Image colours(1, 2);
  colours.pixels[0] = 17;
  write(predictions() / "a.png", vision::encode_png(colours));
  EXPECT_USER_ERROR(scores(), "predictions/a.png");
}

TEST_F(SegmentationFiles, DamagedPngsAreScoredOrRefused) {
  write_pair("a", {0, 1, 2, 0, 1, 2}, {0, 1, 2, 2, 1, 0});
  const auto verdicts = testing::try_damaged(
      read_file(predictions() / "a.png"), "predictions", 200,
      [&](const std::string& bytes) {
        write(predictions() / "a.png", bytes);
        (void)scores();
      },
      testing::damaged);
  EXPECT_GT(verdicts.refused, 50);
}

}  // namespace
}  // namespace freeatm::evaluation
