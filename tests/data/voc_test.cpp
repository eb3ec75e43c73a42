// SPDX-License-Identifier: Apache-2.0
// Samples: scripts/detection_samples.py.
#include "freeatm/core/files.h"
#include "freeatm/data/detection.h"

#include "testing.h"

namespace freeatm::data {
namespace {

const std::string kDevkit = testing::test_file("data/detection/VOCdevkit");

std::vector<Sample> voc_samples(const Dataset& dataset) {
  RandomStream none(0, "none");
  std::vector<Sample> samples;
  for (int64_t i = 0; i < dataset.size(); ++i) samples.push_back(dataset.get(i, none));
  return samples;
}

std::vector<std::string> voc_keys(const std::string& root, const std::string& split) {
  std::vector<std::string> keys;
  for (const Sample& sample : voc_samples(*open_voc(root, split))) keys.push_back(sample.key);
  return keys;
}

TEST(Voc, BoxesBeginAtZeroAndStayInThePicture) {
  ::testing::internal::CaptureStderr();
  const auto samples = voc_samples(*open_voc(kDevkit, "07_trainval+12_trainval"));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(testing::contains(said, "VOCdevkit: 1 boxes are cut to their picture, 1 difficult objects are not"))
      << said;
  ASSERT_EQ(samples.size(), 4u);
  EXPECT_EQ(samples[0].objects[0].box, (vision::Box{0, 0, 40, 30})) << "(1, 1, W, H) is the whole picture";
  EXPECT_EQ(samples[0].objects[1].box, (vision::Box{4, 5, 6, 7}));
  EXPECT_TRUE(samples[0].objects[1].is_difficult);
  EXPECT_EQ(training_objects(samples[0]).size(), 1u);
  EXPECT_FALSE(samples[1].objects[0].is_difficult) << "without the tag";
  EXPECT_EQ(samples[2].objects[0].box, (vision::Box{0, 2, 12, 28})) << "0 and 45 lie outside";
  EXPECT_EQ(samples[3].objects[0].box, (vision::Box{4.5, 5.25, 5, 14.75}));
  EXPECT_EQ(samples[3].objects[0].area, 5 * 14.75);
  EXPECT_EQ(samples[3].id, 3);
}

TEST(Voc, HasTwentyClassesAndNoParts) {
  const auto dataset = open_voc(kDevkit, "test");
  ASSERT_EQ(dataset->class_names().size(), 20u);
  EXPECT_EQ(dataset->class_names()[14], "person");
  EXPECT_EQ(dataset->class_ids()[14], 14);
  const auto samples = voc_samples(*dataset);
  EXPECT_TRUE(samples[0].objects.empty());
  ASSERT_EQ(samples[1].objects.size(), 1u) << "a head is no object";
  EXPECT_EQ(samples[1].objects[0].category, 14);
  EXPECT_EQ(samples[1].labels, (std::vector<int64_t>{14}));
  EXPECT_EQ(dataset->picture_size(0), (PictureSize{30, 40}));
}

TEST(Voc, FindsSplitsOfYears) {
  const std::vector<std::string> both{"000005", "000007", "2008_000008", "2008_000015"}, old{"000005", "000007"};
  EXPECT_EQ(voc_keys(kDevkit, "trainval"), both);
  EXPECT_EQ(voc_keys(testing::test_file("data/detection"), "trainval"), both);
  EXPECT_EQ(voc_keys(kDevkit, "07_trainval"), old);
  EXPECT_EQ(voc_keys(kDevkit, "2007_train+2012_val"), (std::vector<std::string>{"000005", "2008_000015"}));
  EXPECT_EQ(voc_keys(kDevkit + "/VOC2007", "trainval"), old);
  EXPECT_EQ(voc_keys(kDevkit + "/VOC2007", "car_train"), (std::vector<std::string>{"000005"}));
  EXPECT_USER_ERROR(open_voc(kDevkit, "12_test"), "data.split: '12_test' is no split of VOC's");
  EXPECT_USER_ERROR(open_voc(kDevkit, "07_train+"), "is no split of VOC's");
  EXPECT_USER_ERROR(open_voc(kDevkit, "07_trainval+07_train"), "the picture 000005 stands twice");
  EXPECT_EQ(open_dataset({.root = kDevkit, .split = "trainval"})->size(), 4) << "told by what lies there";
  EXPECT_TRUE(has_split({.root = kDevkit, .split = "test"}));
  EXPECT_FALSE(has_split({.root = kDevkit, .split = "12_test"}));
}

class DamagedVoc : public ::testing::Test {
 protected:
  void SetUp() override { fs::copy(kDevkit + "/VOC2007", folder_.path(), fs::copy_options::recursive); }
  std::unique_ptr<Dataset> open(const std::string& from, const std::string& to) {
    const fs::path path = folder_ / "Annotations/000007.xml";
    std::string text = read_file(kDevkit + "/VOC2007/Annotations/000007.xml");
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write_file(path, text.replace(at, from.size(), to));
    return open_voc(folder_.path().string(), "val");
  }
  testing::TemporaryFolder folder_;
};

TEST_F(DamagedVoc, IsRefusedByName) {
  EXPECT_USER_ERROR(open("</annotation>", ""), "000007.xml: data.root: is no whole XML");
  EXPECT_USER_ERROR(open("<xmin>3<", "<xmin>three<"), "000007.xml: xmin: 'three' is no number");
  EXPECT_USER_ERROR(open("<xmin>3<", "<xmin>22<"), "000007.xml: bndbox: (22, 4, 20, 21) ends before it begins");
  EXPECT_USER_ERROR(open("<name>car</name>", ""), "000007.xml: name: an object without it");
  EXPECT_USER_ERROR(open("bndbox>", "box>"), "000007.xml");
  RandomStream none(0, "none");
  EXPECT_USER_ERROR(open("<width>40", "<width>50")->get(0, none), "is 40x30; the annotations say 50x30");
  fs::remove(folder_ / "JPEGImages/000007.jpg");
  EXPECT_USER_ERROR(open("", ""), "000007.jpg: data.root: no such file, nor any other of 'val'");
  fs::remove(folder_ / "Annotations/000007.xml");
  EXPECT_USER_ERROR(open_voc(folder_.path().string(), "val"), "000007.xml: data.root: no such file");
}

TEST_F(DamagedVoc, ReadsWhatToolsLeaveOut) {
  const auto unknown_size = open("<width>40", "<width>0");
  EXPECT_FALSE(unknown_size->picture_size(0));
  EXPECT_EQ(voc_samples(*unknown_size)[0].image.width, 40);
  const auto other_class = open("<name>car</name>", "<name> wagon </name>");
  EXPECT_EQ(other_class->class_names(), (std::vector<std::string>{"wagon"})) << "the names that are there";
  fs::remove(folder_ / "JPEGImages/000005.jpg");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(open_voc(folder_.path().string(), "trainval")->size(), 2);
  EXPECT_TRUE(testing::contains(::testing::internal::GetCapturedStderr(), "1 pictures are not on disk"));
}

}  // namespace
}  // namespace freeatm::data
