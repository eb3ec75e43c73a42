// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

#include "testing.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;

/// A folder in COCO's layout with one picture of 8x6 and two objects; tests damage it.
class Coco : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "annotations");
    fs::create_directories(folder_ / "val");
    vision::Image image(6, 8);
    image.pixels[0] = 200;
    write_file(folder_ / "val/a.png", vision::encode_png(image));
    const Json images = Json::array({{{"id", 42}, {"file_name", "a.png"}, {"width", 8}, {"height", 6}}});
    captions_ = {{"images", images},
                 {"annotations",
                  {{{"id", 1}, {"image_id", 42}, {"caption", "a dog on grass"}},
                   {{"id", 2}, {"image_id", 42}, {"caption", "another one"}}}}};
    instances_ = {
        {"images", images},
        {"categories", {{{"id", 18}, {"name", "dog"}}, {{"id", 3}, {"name", "car"}}}},
        {"annotations",
         {{{"id", 7}, {"image_id", 42}, {"category_id", 18}, {"segmentation", {{"size", {6, 8}}, {"counts", "62X1"}}}},
          {{"id", 8}, {"image_id", 42}, {"category_id", 3}, {"segmentation", {{1, 1, 5, 1, 5, 4, 1, 4}}}}}}};
  }

  void add_phrases() {
    captions_["annotations"][0]["phrases"] = {
        {{"text", "dog"}, {"role", "thing"}, {"span", {2, 5}}, {"object_ids", {7}}},
        {{"text", "grass"}, {"role", "stuff"}, {"span", {9, 14}}, {"object_ids", Json::array()}}};
  }

  std::unique_ptr<Dataset> open() {
    write_file(folder_ / "annotations/captions_val.json", captions_.dump());
    write_file(folder_ / "annotations/instances_val.json", instances_.dump());
    return open_coco(folder_.path().string(), "val");
  }
  Sample sample() { return open()->get(0, none_); }
  Json& segmentation() { return instances_["annotations"][0]["segmentation"]; }

  testing::TemporaryFolder folder_;
  Json captions_, instances_;
  RandomStream none_{0, "none"};
};

TEST_F(Coco, ReadsPlainAnnotations) {
  const auto dataset = open();
  ASSERT_EQ(dataset->size(), 1);
  const Sample s = dataset->get(0, none_);
  EXPECT_EQ(s.key, "a");
  EXPECT_EQ(s.caption, "a dog on grass");
  EXPECT_EQ(s.image.row(0)[0], 200);
  ASSERT_EQ(s.phrases.size(), 2u);
  EXPECT_EQ(s.phrases[0].text, "dog");
  EXPECT_EQ(s.phrases[0].span, (text::Span{0, 0}));
  EXPECT_EQ(s.phrases[1].role, text::Role::kThing);
  EXPECT_EQ(s.masks.box(0), (vision::Box{1, 0, 1, 2}));
  EXPECT_EQ(s.masks.box(1), (vision::Box{1, 1, 4, 3}));
  EXPECT_EQ(s.masks.area(1), 12);
}

TEST_F(Coco, LabelsAPictureWithItsObjectsCategories) {
  instances_["annotations"].push_back(instances_["annotations"][0]);  // a second dog
  instances_["annotations"][2]["id"] = 9;
  add_phrases();  // labels are the objects', not the caption's
  const auto dataset = open();
  EXPECT_TRUE(dataset->is_multi_label());
  EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"dog", "car"}));
  EXPECT_EQ(dataset->get(0, none_).labels, (std::vector<int64_t>{0, 1}));
  instances_["annotations"].erase(0);
  instances_["annotations"].erase(1);
  captions_["annotations"][0].erase("phrases");
  EXPECT_EQ(sample().labels, (std::vector<int64_t>{1}));
}

TEST_F(Coco, ReadsPhrasesInTheCaptionsOrder) {
  add_phrases();
  const Sample s = sample();
  ASSERT_EQ(s.phrases.size(), 2u);
  EXPECT_EQ(s.phrases[1].role, text::Role::kStuff);
  EXPECT_EQ(s.phrases[1].span, (text::Span{9, 14}));
  EXPECT_EQ(s.masks.area(0), 2);
  EXPECT_EQ(s.masks.area(1), 0);
}

TEST_F(Coco, ReadsPlainRunLengths) {
  segmentation()["counts"] = {6, 2, 40};
  EXPECT_EQ(sample().masks.box(0), (vision::Box{1, 0, 1, 2}));
  segmentation()["counts"] = {6, 2, 41};
  EXPECT_USER_ERROR(sample(), "do not fit");
}

TEST_F(Coco, JoinsThePolygonsOfOneObject) {
  segmentation() = {{0, 0, 2, 0, 2, 2, 0, 2}, {4, 3, 8, 3, 8, 6, 4, 6}};
  EXPECT_EQ(sample().masks.area(0), 4 + 12);
  EXPECT_EQ(sample().masks.box(0), (vision::Box{0, 0, 8, 6}));
  segmentation() = nlohmann::json::array();
  EXPECT_EQ(sample().masks.area(0), 0);
}

TEST_F(Coco, RefusesBrokenMasks) {
  segmentation() = {{1, 1, 5, 1, 5}};
  EXPECT_USER_ERROR(sample(), "instances_val.json: annotation 7: segmentation: a polygon of 5 numbers");
  segmentation() = {{"size", {6, 8}}, {"counts", "62"}};
  EXPECT_USER_ERROR(sample(), "instances_val.json: annotation 7: segmentation: the run lengths fill 8 of 8x6");
  segmentation()["counts"] = nullptr;
  EXPECT_USER_ERROR(sample(), "annotation 7: segmentation: is neither run lengths nor polygons");
  segmentation()["size"] = {6, 9};
  EXPECT_USER_ERROR(sample(), "a mask of 9x6 for a picture of 8x6");
}

TEST_F(Coco, RefusesBrokenAnnotations) {
  add_phrases();
  captions_["annotations"][0]["phrases"][0]["object_ids"] = {99};
  EXPECT_USER_ERROR(open(), "captions_val.json: object_ids: 99 is the id of no object of a.png");
  captions_["annotations"][0]["phrases"][0]["span"] = {2, 50};
  EXPECT_USER_ERROR(open(), "captions_val.json: span: [2, 50)");
  captions_["annotations"][0]["image_id"] = 43;
  EXPECT_USER_ERROR(open(), "captions_val.json: image_id: 43");
  captions_.erase("images");
  EXPECT_USER_ERROR(open(), "captions_val.json: data.root: is no whole COCO annotation file");
}

TEST_F(Coco, RefusesWhatIsMissingOrTruncated) {
  auto dataset = open();
  EXPECT_USER_ERROR(open_coco(folder_.path().string(), "train"), "captions_train.json: data.root: no such file");
  write_file(folder_ / "annotations/instances_val.json", instances_.dump().substr(0, 50));
  EXPECT_USER_ERROR(open_coco(folder_.path().string(), "val"), "instances_val.json: data.root: is no whole COCO");
  write_file(folder_ / "val/a.png", read_file(folder_ / "val/a.png").substr(0, 40));
  EXPECT_USER_ERROR(dataset->get(0, none_), "val/a.png: is a broken PNG");
  write_file(folder_ / "val/a.png", vision::encode_png(vision::Image(6, 9)));
  EXPECT_USER_ERROR(dataset->get(0, none_), "val/a.png: is 9x6; the annotations say 8x6");
  fs::remove(folder_ / "val/a.png");
  EXPECT_USER_ERROR(dataset->get(0, none_), "val/a.png: no such file");
}

TEST(ImageFolder, LabelsByTheClassesNames) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"train/b/2.png", "train/b/1.PNG", "train/a/x/9.png", "train/Z/0.png"}) {
    fs::create_directories((folder / name).parent_path());
    write_file(folder / name, vision::encode_png(vision::Image(2, 3)));
  }
  write_file(folder / "train/b/notes.txt", "x");
  const auto dataset = open_image_folder(folder.path().string(), "train");
  EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"Z", "a", "b"}));  // torchvision's order: capitals first
  RandomStream none(0, "none");
  std::vector<std::pair<std::string, int64_t>> samples;
  for (int64_t i = 0; i < dataset->size(); ++i) {
    const Sample s = dataset->get(i, none);
    samples.emplace_back(s.key, s.label);
    EXPECT_EQ(s.image.width, 3);
  }
  EXPECT_EQ(samples, (std::vector<std::pair<std::string, int64_t>>{
                         {"Z/0.png", 0}, {"a/x/9.png", 1}, {"b/1.PNG", 2}, {"b/2.png", 2}}));
}

TEST(ImageFolder, RefusesEmptyFolders) {
  const testing::TemporaryFolder folder;
  EXPECT_USER_ERROR(open_image_folder(folder.path().string(), "train"), "train: data.root: no such folder");
  fs::create_directories(folder / "train");
  EXPECT_USER_ERROR(open_image_folder(folder.path().string(), "train"), "holds no class");
  fs::create_directories(folder / "train/dog");
  EXPECT_USER_ERROR(open_image_folder(folder.path().string(), "train"), "dog: data.root: holds no picture");
}

}  // namespace
}  // namespace freeatm::data
