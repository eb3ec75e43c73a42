// SPDX-License-Identifier: Apache-2.0
// VOC's folders and text files, as users give them.
#include "freeatm/evaluation/voc_files.h"

#include <gtest/gtest.h>

#include "damage.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

class VocFolders : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "Annotations");
    fs::create_directories(folder_ / "ImageSets/Main");
    fs::create_directories(folder_ / "results");
    write("ImageSets/Main/test.txt", "000001\n000002\n\n");
    write(
        "Annotations/000001.xml",
        R"(<annotation><filename>000001.jpg</filename><size><width>60</width><height>50</height><depth>3</depth></size>
<object>
  <name>person</name>
  <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></part>
  <bndbox><xmax>10</xmax><xmin>1</xmin><ymin>1</ymin><ymax>10.0</ymax></bndbox>
</object>
<object><name>person</name><difficult>1</difficult>
  <bndbox><xmin>21</xmin><ymin>1</ymin><xmax>30</xmax><ymax>10</ymax></bndbox></object>
</annotation>)");
    write("Annotations/000002.xml", "<annotation verified=\"yes\"></annotation>");
    write("results/comp4_det_test_person.txt", "000001 0.9 21 1 30 10\n000001 0.8 21 1 30 10\n000001 0.7 1 1 10 10\n");
  }

  void write(const std::string& name, const std::string& text) const { testing::write_unsynced(folder_ / name, text); }
  VocFilesOptions options() const { return {.annotations = folder_.path(), .results = folder_ / "results"}; }
  void expect_refused(const std::string& part) const { EXPECT_USER_ERROR(score_voc_files(options()), part); }

  testing::TemporaryFolder folder_;
};

TEST_F(VocFolders, AreScored) {
  const VocFileScores scores = score_voc_files(options());
  EXPECT_EQ(scores.class_names, std::vector<std::string>{"person"});  // a part is no object
  EXPECT_EQ(scores.result.objects[0], 1);
  EXPECT_NEAR(scores.result.mean.ap07, 1, 1e-9);
  EXPECT_NEAR(scores.result.mean.ap12, 1, 1e-9);
}

TEST_F(VocFolders, EqualScoresCountInTheOrderOfTheirLines) {
  write("Annotations/000002.xml", read_file(folder_ / "Annotations/000001.xml"));
  const std::string wrong = "000001 0.5 41 1 50 10\n", right = "000002 0.5 1 1 10 10\n";
  write("results/comp4_det_test_person.txt", wrong + right);
  EXPECT_NEAR(score_voc_files(options()).result.mean.ap12, .25, 1e-9);
  write("results/comp4_det_test_person.txt", right + wrong);
  EXPECT_NEAR(score_voc_files(options()).result.mean.ap12, .5, 1e-9);
}

TEST_F(VocFolders, WhatIsWrittenIsScored) {
  VocResultWriter writer(folder_ / "results", "test", {"cow", "person"});
  writer.add("000001", {{.category = 1, .box = {0, 0, 10, 10}, .mask = {}, .score = .25}});
  writer.commit();
  EXPECT_EQ(read_file(folder_ / "results/comp4_det_test_person.txt"), "000001 0.25 1 1 10 10\n");
  EXPECT_EQ(read_file(folder_ / "results/comp4_det_test_cow.txt"), "");
  expect_refused("no object is a 'cow'");
  VocFilesOptions both = options();
  both.classes = {"cow", "person"};
  EXPECT_NEAR(score_voc_files(both).result.mean.ap07, 1, 1e-9);
  both.classes = {"cow"};
  EXPECT_USER_ERROR(score_voc_files(both), "000001.xml: name: 'person' is none of the classes");
}

TEST_F(VocFolders, RefuseWhatDoesNotFit) {
  const std::string results = "results/comp4_det_test_person.txt";
  write(results, "000001 0.9 1 1 10 10\n000003 0.9 1 1 10 10\n");
  expect_refused("comp4_det_test_person.txt:2: '000003' is no picture of test");
  write(results, "000001 nan 1 1 10 10\n");
  expect_refused("comp4_det_test_person.txt:1: 'nan' is no finite number");
  write(results, "000001 0.9 1 1 10\n");
  expect_refused("is not: picture, score, x1 y1 x2 y2");
  write("results/comp4_det_test_persons.txt", "");
  fs::remove(folder_ / results);
  expect_refused("no object is a 'persons'; did you mean 'person'?");
  fs::remove(folder_ / "results/comp4_det_test_persons.txt");
  expect_refused("has no file comp4_det_test_CLASS.txt");
  write("Annotations/000002.xml", "<annotation><object><name>dog</name></object></annotation>");
  expect_refused("'' is no number");
  write("Annotations/000002.xml", "<annotation><object>");
  expect_refused("is no whole annotation");
  write("ImageSets/Main/test.txt", "000001\n000001\n");
  expect_refused("test.txt: split: names 000001 twice");
  write("ImageSets/Main/test.txt", "\n");
  expect_refused("names no picture");
}

}  // namespace
}  // namespace freeatm::evaluation
