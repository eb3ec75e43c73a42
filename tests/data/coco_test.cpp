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
  ASSERT_EQ(s.captions.size(), 2u) << "all of them";
  EXPECT_EQ(s.caption(), "a dog on grass");
  EXPECT_EQ(s.captions[1].text, "another one");
  EXPECT_EQ(s.image.row(0)[0], 200);
  ASSERT_EQ(s.regions.size(), 2u);
  EXPECT_EQ(s.regions[0].name, "dog");
  EXPECT_TRUE(s.regions[0].phrases.empty()) << "no caption says where it speaks of it";
  EXPECT_TRUE(s.regions[1].is_thing());
  EXPECT_EQ(s.regions[0].mask.box(), (vision::Box{1, 0, 1, 2}));
  EXPECT_EQ(s.regions[1].mask.box(), (vision::Box{1, 1, 4, 3}));
  EXPECT_EQ(s.regions[1].mask.area(), 12);
}

TEST_F(Coco, TellsTheFilesOwnNumbersAndSizes) {
  const auto dataset = open();
  EXPECT_EQ(dataset->class_ids(), (std::vector<int64_t>{18, 3}));
  EXPECT_EQ(dataset->get(0, none_).id, 42);
  EXPECT_EQ(dataset->picture_size(0), (PictureSize{6, 8}));
  const auto more = with_classes(open(), {"cat", "car", "dog"}, "here", "data.split", "val");
  EXPECT_EQ(more->class_ids(), (std::vector<int64_t>{19, 3, 18}));
  EXPECT_EQ(more->picture_size(0), (PictureSize{6, 8}));
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
  ASSERT_EQ(s.regions.size(), 2u);
  EXPECT_EQ(s.regions[1].role, text::Role::kStuff);
  EXPECT_EQ(s.regions[1].phrases, (std::vector<PhraseIndex>{{0, 1}}));
  EXPECT_EQ(s.captions[0].phrases[1].span, (text::Span{9, 14}));
  EXPECT_EQ(s.regions[0].mask.area(), 2);
  EXPECT_EQ(s.regions[1].mask.area(), 0);
}

TEST_F(Coco, CaptionsThatSpeakOfTheSameObjectsNameOneRegion) {
  add_phrases();
  captions_["annotations"][1]["phrases"] = {
      {{"text", "another"}, {"role", "thing"}, {"span", {0, 7}}, {"object_ids", {7}}},
      {{"text", "one"}, {"role", "thing"}, {"span", {8, 11}}, {"object_ids", {8, 7}}}};
  const Sample s = sample();
  ASSERT_EQ(s.regions.size(), 3u);
  EXPECT_EQ(s.regions[0].phrases, (std::vector<PhraseIndex>{{0, 0}, {1, 0}}));
  EXPECT_EQ(s.regions[2].phrases, (std::vector<PhraseIndex>{{1, 1}}));
  EXPECT_EQ(s.regions[2].mask.area(), 2 + 12 - 1) << "the pixels of both, which share one";
}

TEST_F(Coco, KeepsObjectsAsTheirFileHasThem) {
  instances_["annotations"][0]["iscrowd"] = 1;
  instances_["annotations"][1]["bbox"] = {1.5, 1, 3.5, 3};
  instances_["annotations"][1]["area"] = 11.5;
  instances_["annotations"].push_back({{"id", 9}, {"image_id", 42}, {"category_id", 3}, {"bbox", {0, 0, 2, 3}}});
  const Sample s = sample();
  ASSERT_EQ(s.objects.size(), 3u);
  EXPECT_TRUE(s.objects[0].is_crowd);
  EXPECT_EQ(s.objects[0].box, (vision::Box{1, 0, 1, 2})) << "of its mask";
  EXPECT_EQ(s.objects[0].area, 2);
  EXPECT_TRUE(s.objects[0].polygons.empty());
  EXPECT_EQ(s.objects[1].id, 8);
  EXPECT_EQ(s.objects[1].category, 1);
  EXPECT_EQ(s.objects[1].box, (vision::Box{1.5, 1, 3.5, 3}));
  EXPECT_EQ(s.objects[1].area, 11.5);
  EXPECT_EQ(s.objects[1].polygons, (std::vector<std::vector<double>>{{1, 1, 5, 1, 5, 4, 1, 4}}));
  EXPECT_EQ(s.objects[1].mask->area(), 12);
  EXPECT_FALSE(s.objects[2].mask) << "no mask is no mask";
  EXPECT_EQ(s.objects[2].area, 6);
  EXPECT_EQ(s.regions.size(), 2u) << "and what has none is no region";
}

TEST_F(Coco, RefusesIdsThatStandTwice) {
  const auto refuses_second = [&](Json& file, const char* list, const std::string& message) {
    file[list].push_back(file[list][0]);
    EXPECT_USER_ERROR(open(), message);
    file[list].erase(file[list].size() - 1);
  };
  refuses_second(instances_, "annotations", "instances_val.json: annotations: two of them have the id 7");
  refuses_second(instances_, "categories", "instances_val.json: categories: two of them have the id 18");
  refuses_second(instances_, "images", "instances_val.json: images: two of them have the id 42");
  refuses_second(captions_, "images", "captions_val.json: images: two of them have the id 42");
  instances_["annotations"][0]["bbox"] = {0, 0, -1, 2};
  EXPECT_USER_ERROR(open(), "instances_val.json: bbox: annotation 7");
}

TEST_F(Coco, ReadsPlainRunLengths) {
  segmentation()["counts"] = {6, 2, 40};
  EXPECT_EQ(sample().regions[0].mask.box(), (vision::Box{1, 0, 1, 2}));
  segmentation()["counts"] = {6, 2, 41};
  EXPECT_USER_ERROR(sample(), "do not fit");
}

TEST_F(Coco, JoinsThePolygonsOfOneObject) {
  segmentation() = {{0, 0, 2, 0, 2, 2, 0, 2}, {4, 3, 8, 3, 8, 6, 4, 6}};
  EXPECT_EQ(sample().regions[0].mask.area(), 4 + 12);
  EXPECT_EQ(sample().regions[0].mask.box(), (vision::Box{0, 0, 8, 6}));
  segmentation() = nlohmann::json::array();
  EXPECT_FALSE(sample().objects[0].mask);
  EXPECT_EQ(sample().regions.at(0).name, "car");
}

TEST_F(Coco, RefusesBrokenMasks) {
  segmentation() = {{1, 1, 5, 1, 5}};
  EXPECT_EQ(sample().objects.at(0).id, 8) << "what has no polygon of three points is left out";
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

/// A JPEG of this size with EXIF's orientation, as a camera writes it.
std::string jpeg_of(int height, int width, char orientation) {
  vision::Image image(height, width);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i / 3 % width * 255 / width);
  std::string bytes = vision::encode_jpeg(image);
  using namespace std::string_literals;
  const std::string exif = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + orientation + "\0\0\0\0\0\0\0"s;
  return bytes.substr(0, 2) + "\xff\xe1\0"s + static_cast<char>(exif.size() + 2) + exif + bytes.substr(2);
}

// The json's width and height say which pixels the masks mean.
TEST_F(Coco, ExifsTurnCountsWhereTheAnnotationsCountedIt) {
  const auto opened = [&](int height, int width, char orientation, int said_height, int said_width, bool with_masks) {
    write_file(folder_ / "val/a.png", jpeg_of(height, width, orientation));
    Json& images = instances_["images"];
    images[0]["height"] = said_height, images[0]["width"] = said_width;
    if (!with_masks) instances_["annotations"] = Json::array();
    for (Json& annotation : instances_["annotations"]) annotation["segmentation"] = {{0, 0, 4, 0, 4, 4, 0, 4}};
    captions_["images"] = images;
    return sample().image;
  };
  const auto is_stored = [](const vision::Image& image) {  // it brightens from the left to the right
    const int last = 3 * (image.width - 1);
    return image.row(image.height / 2)[last] > image.row(image.height / 2)[0] + 100;
  };
  for (const bool with_masks : {true, false}) {
    const vision::Image turned = opened(30, 40, 6, 40, 30, with_masks);
    EXPECT_EQ(std::pair(turned.height, turned.width), std::pair(40, 30));
    EXPECT_FALSE(is_stored(turned));
    const vision::Image stored = opened(30, 40, 6, 30, 40, with_masks);
    EXPECT_EQ(std::pair(stored.height, stored.width), std::pair(30, 40));
    EXPECT_TRUE(is_stored(stored));
    EXPECT_USER_ERROR(opened(30, 40, 6, 30, 30, with_masks),
                      "is 40x30 (before EXIF's turn); the annotations say 30x30");
    // Where the size does not tell, masks mean stored pixels, and without masks a picture is turned as everywhere.
    EXPECT_EQ(is_stored(opened(32, 32, 6, 32, 32, with_masks)), with_masks);
    EXPECT_EQ(is_stored(opened(32, 40, 3, 32, 40, with_masks)), with_masks);
    EXPECT_TRUE(is_stored(opened(32, 40, 1, 32, 40, with_masks)));
  }
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

}  // namespace
}  // namespace freeatm::data
