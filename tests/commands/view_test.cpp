// SPDX-License-Identifier: Apache-2.0
// freeatm view on shards that are whole, and on shards that training would refuse.
#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/data/npy.h"
#include "freeatm/data/shards.h"
#include "freeatm/report/shard_view.h"
#include "freeatm/vision/label_map.h"

#include "program.h"

namespace freeatm::commands {
namespace {

using data::Member;

const char* const kDog =
    R"({"caption": "a dog", "seed": 7, "sampler": {"steps": 25.0}, "tokens": [{"text": "a", "span": [0, 1]},
  {"text": "dog", "span": [2, 5]}], "phrases": [{"text": "dog", "role": "thing", "span": [2, 5], "tokens": [1], "score": 0.5,
  "segmentation": {"size": [2, 3], "counts": "132"}}]})";  // runs 1, 3, 2: three of six pixels

std::string picture(int height = 2, int width = 3) { return vision::encode_png(vision::Image(height, width)); }

class View : public ::testing::Test {
 protected:
  report::GalleryItem item(const std::vector<Member>& members, int64_t max_side = 64) {
    data::ShardWriter writer(folder_ / "shard-000000.tar");
    writer.add("000000000", members);
    writer.commit();
    return report::ShardView(folder_.path()).item(0, max_side);
  }
  /// The item has one problem, which says `part`.
  report::GalleryItem item_with_problem(const std::vector<Member>& members, const std::string& part) {
    auto broken = item(members);
    EXPECT_EQ(broken.problems.size(), 1u);
    const std::string problem = broken.problems.empty() ? "" : broken.problems[0];
    EXPECT_NE(problem.find(part), std::string::npos) << problem;
    return broken;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(View, AWholeSampleIsShownAsTheShardHasIt) {
  const at::Tensor maps = at::tensor({0.f, 1.f, .5f, .25f, .25f, .75f}).view({2, 1, 3});
  const auto whole = item({{"png", picture()}, {"json", kDog}, {"maps.npy", data::npy_float16(maps)}});
  EXPECT_TRUE(whole.problems.empty());
  EXPECT_EQ(whole.picture, picture()) << "a small picture keeps its file's bytes";
  EXPECT_EQ(whole.picture_type, "image/png");
  EXPECT_EQ(whole.caption, "a dog");
  EXPECT_EQ(whole.phrases.at(0).mask->area(), 3);
  EXPECT_EQ(whole.phrases.at(0).score, .5);
  EXPECT_EQ(whole.maps.bytes, std::string("\x00\xff\x80\x00\x00\xff", 6));
  EXPECT_EQ(whole.maps.low, (std::vector<double>{0, .25}));
  EXPECT_EQ(whole.maps.high, (std::vector<double>{1, .75}));
  EXPECT_EQ(whole.facts, (std::vector<std::pair<std::string, std::string>>{{"seed", "7"}, {"steps", "25"}}));
}

TEST_F(View, WhatBrowsersDoNotShowBecomesLosslessWebp) {
  const std::string tiff = read_file(testing::test_file("vision/data/pictures/orientation_6.tif"));
  const auto shown = item({{"tif", tiff}, {"txt", "a dog"}});
  EXPECT_TRUE(shown.problems.empty());
  EXPECT_EQ(shown.picture_type, "image/webp");
  EXPECT_EQ(vision::decode_image(shown.picture, "shown"), vision::decode_image(tiff, "tiff"));
}

TEST_F(View, ALargePictureIsMadeSmallerAndItsMasksStay) {
  const auto large = item({{"png", picture(200, 300)}, {"txt", "a dog"}}, 60);
  EXPECT_EQ(large.picture_type, "image/webp");
  const vision::Image image = vision::decode_image(large.picture, "");
  EXPECT_EQ(std::pair(image.height, image.width), std::pair(40, 60));
}

TEST_F(View, WhatIsMissingIsSaid) {
  const auto no_picture = item_with_problem({{"json", kDog}}, "no picture");
  EXPECT_EQ(no_picture.phrases.size(), 1u);
  EXPECT_FALSE(no_picture.phrases[0].mask) << "without a picture nobody knows its size";
  EXPECT_TRUE(item_with_problem({{"png", picture()}}, "no caption").phrases.empty());
  EXPECT_EQ(item({{"png", picture()}, {"txt", "a dog"}}).caption, "a dog");
  EXPECT_TRUE(item({{"png", picture()}, {"json", kDog}}).maps.bytes.empty()) << "maps are not owed";
  EXPECT_TRUE(item({{"png", picture()}, {"json", R"({"caption": "a"})"}}).problems.empty()) << "nor are phrases";
}

TEST_F(View, WhatIsBrokenIsSaidAndTheRestIsShown) {
  EXPECT_EQ(item_with_problem({{"png", picture().substr(0, 40)}, {"json", kDog}}, "000000000.png").caption, "a dog");
  EXPECT_FALSE(item({{"png", picture()}, {"json", "{\"caption\": "}}).picture.empty());
  item_with_problem({{"png", picture()}, {"txt", "a"}, {"json", "[1]"}}, "000000000.json: is no object");
  item_with_problem({{"png", picture()}, {"txt", "a"}, {"json", "{\"caption\": \"\xff\"}"}}, "000000000.json");
  item_with_problem({{"png", picture()}, {"json", R"({"caption": "a", "phrases": [{"text": "a"}]})"}}, "phrases");
  item_with_problem({{"png", picture()}, {"json", R"({"caption": "a", "phrases": 3})"}}, "000000000.json");
  const auto other_size =
      item_with_problem({{"png", picture(4, 4)}, {"json", kDog}}, "a mask of 3x2 for a picture of 4x4");
  EXPECT_EQ(other_size.phrases.size(), 1u) << "the phrase stays, without its mask";
  std::string runs = kDog;
  runs.replace(runs.find("132"), 3, "199");
  item_with_problem({{"png", picture()}, {"json", runs}}, "dog");
}

TEST_F(View, BrokenMapsAreSaid) {
  const auto with_maps = [&](const std::string& maps) -> std::vector<Member> {
    return {{"png", picture()}, {"json", kDog}, {"maps.npy", maps}};
  };
  item_with_problem(with_maps("no npy"), "000000000.maps.npy: is no .npy file");
  item_with_problem(with_maps(data::npy_float16(at::zeros({3, 1, 1}))), "has shape [3, 1, 1], [2, height, width]");
  item_with_problem(with_maps(data::npy_float16(at::zeros({2, 4}))), "has shape [2, 4]");
  item_with_problem(with_maps(data::npy_float16(at::full({2, 1, 1}, NAN))), "not finite");
  EXPECT_EQ(item(with_maps(data::npy_float16(at::ones({2, 1, 1})))).maps.bytes, std::string(2, '\0')) << "flat maps";
}

TEST_F(View, ThePageCountsWhatItShowsAndWarnsOfTheRest) {
  fs::create_directories(folder_ / "a");
  fs::create_directories(folder_ / "b");
  for (const char* name : {"a", "b"}) {
    data::ShardWriter writer(folder_ / name / "shard-000000.tar");
    for (int i = 0; i < 3; ++i) writer.add(sample_key(i), {{"png", picture()}, {"json", kDog}});
    writer.add(sample_key(3), {{"txt", "</script><b>"}});
    writer.commit();
  }
  const auto page = [&](const std::string& arguments) {
    const auto outcome = testing::run_program("view out=" + (folder_ / "page.html").string() + " " + arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    return outcome.text + read_file(folder_ / "page.html");
  };
  const std::string both = page("in=" + folder_.path().string());
  EXPECT_NE(both.find("8 pictures, 0 runs"), std::string::npos);
  EXPECT_NE(both.find("2 pictures have something missing or broken"), std::string::npos);
  EXPECT_NE(both.find("\"source\":\"b\""), std::string::npos);
  EXPECT_EQ(both.find("</script><b>"), std::string::npos);
  const std::string one = page("count=2 in=" + (folder_ / "a").string());
  EXPECT_NE(one.find("the first 2 of 4 pictures in "), std::string::npos);
  EXPECT_NE(one.find(" · seed 7 · steps 25"), std::string::npos) << "what all have in common stands on top";
  EXPECT_EQ(one.find("id=\"sample-2\""), std::string::npos);
}

TEST_F(View, AnEvaluationOfSegmentationShowsWhatIsConfused) {
  vision::LabelMap map(2, 4, 0);
  for (const char* name : {"truth", "found"}) {
    fs::create_directories(folder_ / name);
    write_file(folder_ / name / "1.png", vision::encode_label_png(map));
    map.labels[7] = 1;
  }
  write_file(folder_ / "names.txt", "road\nsky\n");
  const std::string at = folder_.path().string();
  const std::string said = testing::expect_done("evaluate task=segmentation truth=" + at + "/truth predictions=" + at +
                                                "/found class_names=" + at + "/names.txt out=" + at + "/out");
  EXPECT_NE(said.find("mean_iou"), std::string::npos) << said;
  testing::expect_done("view in=" + at + "/out out=" + at + "/page.html");
  const std::string page = read_file(folder_ / "page.html");
  for (const char* part : {"road taken for sky: 12.5 %, 1 pixels", "1: 12.5 % wrong", "mean boundary iou"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace freeatm::commands
