// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/core/log.h"
#include "freeatm/data/dataset.h"

#include "damage.h"
#include "testing.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;
using testing::write_unsynced;

/// A picture whose width tells which one it is.
void write_picture(const fs::path& path, int64_t width) {
  fs::create_directories(path.parent_path());
  write_unsynced(path, vision::encode_png(vision::Image(2, width)));
}

std::vector<std::string> texts_of(const Sample& sample) {
  std::vector<std::string> texts;
  for (const text::Caption& caption : sample.captions) texts.push_back(caption.text);
  return texts;
}

std::vector<Sample> all_of(const Dataset& dataset) {
  RandomStream none(0, "none");
  std::vector<Sample> samples;
  for (int64_t i = 0; i < dataset.size(); ++i) samples.push_back(dataset.get(i, none));
  return samples;
}

std::vector<std::string> keys_of(const Dataset& dataset) {
  std::vector<std::string> keys;
  for (const Sample& sample : all_of(dataset)) keys.push_back(sample.key);
  return keys;
}

using Names = std::vector<std::string>;

Json picture_of(const std::string& folder, const std::string& name, const std::string& split,
                const std::vector<std::string>& sentences) {
  Json picture{{"filename", name}, {"split", split}, {"sentences", Json::array()}, {"imgid", 7}};
  if (!folder.empty()) picture["filepath"] = folder;
  for (const std::string& raw : sentences) picture["sentences"].push_back({{"raw", raw}, {"tokens", {"a", "dog"}}});
  return picture;
}

/// Like COCO's: two folders, and what is left of the second is trained on, too. Tests damage it.
class Karpathy : public ::testing::Test {
 protected:
  void SetUp() override {
    json_ = {{"images",
              {picture_of("val2014", "COCO_val2014_1.jpg", "test", {"A dog.", " A second\none. ", "third"}),
               picture_of("val2014", "COCO_val2014_2.jpg", "restval", {"two"}),
               picture_of("train2014", "COCO_train2014_3.jpg", "train", {"three"}),
               picture_of("val2014", "COCO_val2014_4.jpg", "val", {"four"})}},
             {"dataset", "coco"}};
    int64_t width = 0;
    for (const Json& image : json_["images"])
      write_picture(folder_ / (image["filepath"].get<std::string>() + "/" + image["filename"].get<std::string>()),
                    ++width);
  }

  std::unique_ptr<Dataset> open(const std::string& split = "test", const std::string& name = "dataset_coco.json") {
    fs::create_directories((folder_ / name).parent_path());
    write_unsynced(folder_ / name, json_.dump());
    return open_karpathy(root(), split);
  }
  std::string root() const { return folder_.path().string(); }
  Json& image(size_t i) { return json_["images"][i]; }

  testing::TemporaryFolder folder_;
  Json json_;
};

TEST_F(Karpathy, GivesEachPictureAllItsSentencesInTheirOrder) {
  const auto samples = all_of(*open());
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].key, "val2014/COCO_val2014_1");
  EXPECT_EQ(samples[0].image.width, 1);
  EXPECT_EQ(texts_of(samples[0]), (Names{"A dog.", "A second one.", "third"}));
  EXPECT_FALSE(samples[0].captions[0].is_annotated);
}

TEST_F(Karpathy, TrainsOnWhatIsLeftOfTheValidationPictures) {
  EXPECT_EQ(keys_of(*open("train")), (Names{"val2014/COCO_val2014_2", "train2014/COCO_train2014_3"}));
  EXPECT_EQ(keys_of(*open("restval")), (Names{"val2014/COCO_val2014_2"}));
  EXPECT_EQ(keys_of(*open("val")), (Names{"val2014/COCO_val2014_4"}));
  EXPECT_EQ(open("all")->size(), 4);
  for (Json& image : json_["images"]) image["split"] = image["split"] == "restval" ? "test" : image["split"];
  EXPECT_EQ(open("train")->size(), 1) << "Flickr's have no restval";
}

TEST_F(Karpathy, FindsTheJsonWherePeoplePutIt) {
  for (const char* name : {"annotations/dataset_coco.json", "karpathy/dataset_coco.json",
                           "caption_datasets/dataset_coco.json", "dataset.json"}) {
    EXPECT_EQ(open("test", name)->size(), 1) << name;
    fs::remove(folder_ / name);
  }
}

TEST_F(Karpathy, FindsThePicturesWherePeoplePutThem) {
  const auto moved_to = [&](const std::string& name) {
    fs::remove_all(folder_ / "val2014");
    fs::remove_all(folder_ / "images");
    write_picture(folder_ / name, 9);
    return all_of(*open()).at(0).image.width;
  };
  EXPECT_EQ(moved_to("images/val2014/COCO_val2014_1.jpg"), 9);
  EXPECT_EQ(moved_to("images/COCO_val2014_1.jpg"), 9) << "both years in one folder";
  image(0).erase("filepath");
  for (const char* folder :
       {"", "images/", "Images/", "flickr30k-images/", "flickr30k_images/", "flickr30k_images/flickr30k_images/",
        "Flicker8k_Dataset/", "Flickr8k_Dataset/Flicker8k_Dataset/"}) {
    image(0)["filename"] = "1.png";
    EXPECT_EQ(moved_to(folder + std::string("1.png")), 9) << folder;
    fs::remove(folder_ / (folder + std::string("1.png")));
  }
  image(0)["filename"] = "a/1.png";
  EXPECT_EQ(moved_to("images/a/1.png"), 9) << "a folder in the name";
  EXPECT_EQ(keys_of(*open()), Names{"a/1"});
}

TEST_F(Karpathy, RefusesAJsonOfOtherPicturesAtOnce) {
  fs::remove_all(folder_ / "val2014");
  EXPECT_USER_ERROR(open("train"),
                    "dataset_coco.json: data.root: 1 of the 2 pictures of 'train' are not on disk, first "
                    "val2014/COCO_val2014_2.jpg: looked for in " +
                        root() + ", images/, ");
  write_picture(folder_ / "val2014/COCO_val2014_1.jpg", 1);
  EXPECT_EQ(open("test")->size(), 1) << "of other splits nothing need be there";
  image(0)["filepath"] = "a";
  image(0)["filename"] = "1.png";
  write_picture(folder_ / "1.png", 1);
  EXPECT_USER_ERROR(open("test"), "first a/1.png");  // another picture of that name
}

TEST_F(Karpathy, NamesTheSplitsThatThereAre) {
  EXPECT_USER_ERROR(open("dev"),
                    "dataset_coco.json: data.split: 'dev' is the split of no picture: restval (1), "
                    "test (1), train (1), val (1) or all is wanted");
  json_["images"].clear();
  EXPECT_USER_ERROR(open("all"), "dataset_coco.json: data.root: names no picture");
}

TEST_F(Karpathy, KeepsPicturesWithoutSentences) {
  image(0)["sentences"] = {{{"raw", " \n"}}, {{"raw", nullptr}}, {{"raw", "a dog"}}};
  EXPECT_EQ(texts_of(all_of(*open())[0]), Names{"a dog"});
  image(0)["sentences"] = Json::array();
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(all_of(*open())[0].captions.empty());
  EXPECT_TRUE(testing::contains(
      ::testing::internal::GetCapturedStderr(),
      "dataset_coco.json: 1 of 1 pictures of 'test' have no caption, first val2014/COCO_val2014_1.jpg"));
}

TEST_F(Karpathy, CountsBlankSentences) {
  image(0)["sentences"] = {{{"raw", " \n"}}, {{"raw", nullptr}}, {{"raw", "a dog"}}};
  ::testing::internal::CaptureStderr();
  (void)open();
  EXPECT_TRUE(testing::contains(::testing::internal::GetCapturedStderr(),
                                "dataset_coco.json: 2 captions are null or blank and are passed over, first of "
                                "val2014/COCO_val2014_1.jpg"));
}

TEST_F(Karpathy, RefusesAPictureThatIsNamedTwice) {
  json_["images"].push_back(image(0));
  image(4)["split"] = "train";
  EXPECT_USER_ERROR(open(), "dataset_coco.json: images[4]: val2014/COCO_val2014_1.jpg is named twice");
  image(4)["filepath"] = "train2014";
  EXPECT_EQ(open()->size(), 1) << "another folder, another picture";
}

TEST_F(Karpathy, RefusesWhatIsNotOfItsForm) {
  const auto refuses = [&](const std::string& text, const std::string& message) {
    write_unsynced(folder_ / "dataset_coco.json", text);
    EXPECT_USER_ERROR(open_karpathy(root(), "test"), "dataset_coco.json: data.root: " + message);
  };
  const std::string form = "is no whole file of Karpathy's form: ";
  refuses(json_.dump().substr(0, 300), form + "parse error at line 1");
  refuses("", form);
  refuses("[]", R"(is not of Karpathy's form: {"images": [...]} is wanted)");
  refuses(R"({"images": {"a": 1}})", "is not of Karpathy's form");
  refuses(R"({"dataset": [{"images": [3]}]})", "is not of Karpathy's form");
  refuses(R"({"images": [3]})", form + "images[0]: ");
  refuses(R"({"images": [[]]})", form + "images[0]: ");
  refuses(R"({"images": [{"file_name": "a.jpg", "id": 1}], "annotations": []})", form + "images[0]: ");
  refuses(R"({"images": [{"filename": "a.jpg", "split": "test"}]})", form + "images[0]: ");
  refuses(R"({"images": [{"filename": "a.jpg", "split": "test", "sentences": "a dog"}]})", form + "images[0]: ");
  refuses(R"({"images": [{"filename": "a.jpg", "split": "test", "sentences": [{"tokens": []}]}]})",
          form + "images[0]: ");
  refuses(std::string(1'000'000, '['), "is JSON that is nested more than");
}

TEST_F(Karpathy, RefusesWhatIsNoText) {
  std::string text = json_.dump();
  text.replace(text.find("A dog."), 1, "\xff");
  write_unsynced(folder_ / "dataset_coco.json", text);
  EXPECT_USER_ERROR(open_karpathy(root(), "test"), "ill-formed UTF-8 byte");
  image(0)["sentences"][0]["raw"] = std::string("a\0b", 3);
  EXPECT_USER_ERROR(open(), "dataset_coco.json: images[0].sentences: holds a control character (0)");
  image(0)["filename"] = "a\nb";
  EXPECT_USER_ERROR(open(), "dataset_coco.json: images[0].filename: holds a control character (10)");
  image(0)["filename"] = "";
  EXPECT_USER_ERROR(open(), "dataset_coco.json: images[0].filename: is empty");
}

TEST_F(Karpathy, WantsOneJson) {
  (void)open();
  write_unsynced(folder_ / "dataset_infos.json", "{}");  // another tool's
  EXPECT_EQ(open_karpathy(root(), "test")->size(), 1);
  EXPECT_USER_ERROR(open("test", "dataset_flickr8k.json"),
                    "holds dataset_coco.json and dataset_flickr8k.json: keep the one of these pictures");
  fs::remove(folder_ / "dataset_coco.json");
  fs::remove(folder_ / "dataset_flickr8k.json");
  EXPECT_USER_ERROR(open_karpathy(root(), "test"), "dataset_infos.json: data.root: is not of Karpathy's form");
  fs::remove(folder_ / "dataset_infos.json");
  EXPECT_USER_ERROR(open_karpathy(root(), "test"),
                    root() + ": data.root: holds no dataset*.json, results_20130124.token or Kaggle's results.csv");
  EXPECT_USER_ERROR(open_karpathy(root() + "/none", "test"), "none: data.root: no such folder");
}

TEST_F(Karpathy, IsToldFromCocosAnnotations) {
  const auto opened = [&](const std::string& layout, const std::string& split) {
    return all_of(*open_dataset({.root = root(), .layout = layout, .split = split}));
  };
  (void)open();
  write_unsynced(folder_ / "images.tar", "left over, as it was fetched");
  EXPECT_EQ(opened("auto", "test")[0].key, "val2014/COCO_val2014_1");
  fs::create_directories(folder_ / "annotations");
  fs::rename(folder_ / "dataset_coco.json", folder_ / "annotations/dataset_coco.json");
  EXPECT_EQ(opened("auto", "test").size(), 1u) << "in the folder of COCO's annotations";
  const Json captions{{"images", {{{"id", 1}, {"file_name", "COCO_val2014_1.jpg"}, {"width", 1}, {"height", 2}}}},
                      {"annotations", {{{"id", 1}, {"image_id", 1}, {"caption", "COCO's"}}}}};
  write_unsynced(folder_ / "annotations/captions_val2014.json", captions.dump());
  EXPECT_EQ(opened("auto", "val2014")[0].caption(), "COCO's") << "its annotations know the split";
  EXPECT_EQ(opened("auto", "val")[0].caption(), "four") << "and this one only the json";
  EXPECT_USER_ERROR(opened("karpathy", "val2014"), "'val2014' is the split of no picture");
  fs::remove(folder_ / "annotations/dataset_coco.json");
  EXPECT_EQ(opened("auto", "val2014")[0].caption(), "COCO's");
  EXPECT_USER_ERROR(opened("auto", "val"), "captions_val.json: data.root: no such file");
}

TEST_F(Karpathy, TellsWhichSplitsThereAre) {
  const auto has = [&](const std::string& split, const std::string& layout = "auto") {
    return has_split({.root = root(), .layout = layout, .split = split});
  };
  image(0)["sentences"][0]["raw"] = R"("split": "dev")";
  json_["split"] = 7;
  (void)open();
  EXPECT_TRUE(has("test") && has("train") && has("restval") && has("all"));
  EXPECT_FALSE(has("dev") || has("tes") || has(""));
  fs::create_directories(folder_ / "annotations");
  write_unsynced(folder_ / "annotations/captions_val2014.json", "{}");
  EXPECT_TRUE(has("val2014") && has("test")) << "one of COCO's, one of the json's";
  EXPECT_FALSE(has("test", "coco") || has("val2014", "karpathy"));
  image(1)["split"] = image(2)["split"] = "val";
  (void)open();
  EXPECT_FALSE(has("train"));
  fs::remove_all(folder_ / "annotations");
  fs::remove(folder_ / "dataset_coco.json");
  EXPECT_FALSE(has("test")) << "nothing that is known lies there";
  EXPECT_TRUE(has("val2014")) << "as an image folder's";
}

TEST_F(Karpathy, SurvivesDamage) {
  const std::string whole = json_.dump();
  const auto use = [&](const std::string& bytes) {
    write_unsynced(folder_ / "dataset_coco.json", bytes);
    for (const Sample& sample : all_of(*open_karpathy(root(), "all"))) EXPECT_LT(sample.captions.size(), 10u);
  };
  log::set_level(log::Level::kError);
  const auto bytes = testing::try_damaged(whole, "dataset_coco.json", 1500, use),
             values = testing::try_damaged(whole, "dataset_coco.json", 1500, use, testing::with_wrong_values);
  log::set_level(log::Level::kInfo);
  EXPECT_GT(std::min(bytes.read, values.read), 20);
  EXPECT_GT(std::min(bytes.refused, values.refused), 300);
}

/// Flickr30k's captions as its makers and Kaggle give them.
class Flickr30k : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int64_t i = 1; i <= 3; ++i) write_picture(folder_ / format("flickr30k_images/{}.jpg", i), i);
  }
  std::vector<Sample> opened(const std::string& name, const std::string& text) {
    for (const char* other : {"results_20130124.token", "results.csv"}) fs::remove(folder_ / other);
    write_unsynced(folder_ / name, text);
    return all_of(*open_karpathy(folder_.path().string(), "all"));
  }
  std::vector<Sample> token(const std::string& text) { return opened("results_20130124.token", text); }
  std::vector<Sample> csv(const std::string& text) {
    return opened("results.csv", "image_name| comment_number| comment\n" + text);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Flickr30k, ReadsItsMakersFile) {
  const auto samples = token(
      "\xEF\xBB\xBF"
      "2.jpg#0\tTwo young guys .\r\n2.jpg#1\t  A \"dog\" | 2 #3\t. \n\n1.jpg#0\tOne");
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].key, "2");
  EXPECT_EQ(samples[0].image.width, 2);
  EXPECT_EQ(texts_of(samples[0]), (Names{"Two young guys .", "A \"dog\" | 2 #3\t."}));
  EXPECT_EQ(texts_of(samples[1]), Names{"One"});
  EXPECT_EQ(token("1.jpg#0\tOne\n2.jpg#0\t\n")[1].captions.size(), 0u) << "blank";
}

TEST_F(Flickr30k, ReadsKagglesFileWithItsBrokenRow) {
  const auto samples = csv("1.jpg| 0| One \"1\"\n1.jpg| 1| a | b\n3.jpg| 4   A dog runs\n2.jpg| 0|\n");
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(texts_of(samples[0]), (Names{"One \"1\"", "a | b"}));
  EXPECT_EQ(texts_of(samples[1]), Names{"A dog runs"}) << "without its second bar";
  EXPECT_EQ(texts_of(samples[2]), Names{});
}

TEST_F(Flickr30k, RefusesBrokenLines) {
  EXPECT_USER_ERROR(token("1.jpg#0\tOne\n\n1.jpg One\n"),
                    "results_20130124.token:3: data.root: is no line of the form NAME.jpg#0<tab>caption");
  EXPECT_USER_ERROR(token("1.jpg#0\tOne\n1.jpg#0\tOne\n"), "token:2: data.root: is the second caption 0 of 1.jpg");
  EXPECT_USER_ERROR(token("#0\tOne\n"), "token:1: data.root: names no picture");
  EXPECT_USER_ERROR(token("1.jpg#0\tOne\xff\n"), "token:1: data.root: is not UTF-8 text");
  EXPECT_USER_ERROR(token("\n"), "results_20130124.token: data.root: names no picture");
  EXPECT_USER_ERROR(token("4.jpg#0\tOne\n1.jpg#0\tOne"), "1 of the 2 pictures of 'all' are not on disk, first 4.jpg");
  for (const char* row : {"1.jpg| One\n", "1.jpg\n", "1.jpg| 4dogs\n"})
    EXPECT_USER_ERROR(csv(row), "results.csv:2: data.root: is no row of the form NAME.jpg| 0| comment");
  EXPECT_USER_ERROR(csv(""), "results.csv: data.root: names no picture");
  EXPECT_USER_ERROR(opened("results.csv", "epoch,loss\n1,2\n"), "holds no dataset*.json");  // another tool's
}

TEST_F(Flickr30k, HasNoSplitsUnlessAJsonSaysThem) {
  write_unsynced(folder_ / "results_20130124.token", "1.jpg#0\tOne\n2.jpg#0\tTwo\n");
  const auto open = [&](const std::string& split) {
    return open_dataset({.root = folder_.path().string(), .split = split});
  };
  EXPECT_EQ(open("all")->size(), 2);
  EXPECT_USER_ERROR(open("train"), "token: data.split: 'train' cannot be told: the file has no splits; all is wanted");
  const Json json{{"images", {picture_of("", "2.jpg", "train", {"two"})}}};
  write_unsynced(folder_ / "dataset_flickr30k.json", json.dump());
  EXPECT_EQ(all_of(*open("train"))[0].caption(), "two");
}

}  // namespace
}  // namespace freeatm::data
