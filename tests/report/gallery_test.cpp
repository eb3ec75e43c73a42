// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/gallery.h"

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/core/random.h"
#include "freeatm/report/html.h"

#include "testing.h"

namespace freeatm::report {
namespace {

using nlohmann::json;
using testing::contains;

/// A 3x4 picture of "a dog on the grass": the dog's mask is 2 wide and 1 high at (1, 1), the grass has none.
GalleryItem dog_on_the_grass() {
  const uint8_t dog[] = {0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
  GalleryItem item{.key = "000000007", .caption = "a dog on the grass"};
  item.picture = "\x89PNG", item.picture_type = "image/png";
  item.phrases = {{"dog", "thing", 2, 5, {1}, 0.43214, vision::Rle::encode(dog, 3, 4)},
                  {"grass", "stuff", 13, 18, {4}, {}, vision::Rle{3, 4, {12}}}};
  item.tokens = {{"a", 0, 1}, {"dog", 2, 5}};
  item.maps = {1, 2, {0, 0.25}, {1, 0.5}, std::string("\0\xff\x10\x20", 4)};
  item.facts = {{"seed", "7"}};
  return item;
}

/// The JSON of a script element, as a browser gives its text to JSON.parse: up to the first "</script".
json block(const std::string& html, const std::string& id) {
  const std::string start = "<script type=\"application/json\" id=\"" + id + "\">";
  const size_t begin = html.find(start);
  if (begin == std::string::npos) return nullptr;
  const size_t end = html.find("</script", begin);
  return json::parse(html.substr(begin + start.size(), end - begin - start.size()));
}

TEST(Gallery, TheIndexHasWhatFiltersAndCaptionsNeed) {
  Gallery gallery;
  gallery.add(dog_on_the_grass());
  EXPECT_EQ(block(gallery.html(), "samples"),
            json::parse(R"([{"key": "000000007", "caption": "a dog on the grass", "phrases": [
      {"text": "dog", "role": "thing", "span": [2, 5], "score": 0.4321, "tokens": [1], "box": [1.0, 1.0, 2.0, 1.0], "share": 0.1667},
      {"text": "grass", "role": "stuff", "span": [13, 18], "tokens": [4]}]}])"));
}

TEST(Gallery, APicturesBlockHasItsBytesMasksAndMaps) {
  Gallery gallery;
  gallery.add(dog_on_the_grass());
  const json data = block(gallery.data(), "sample-0");
  EXPECT_EQ(data["picture"], "data:image/png;base64,iVBORw==");
  const json& mask = data["masks"][0];
  EXPECT_EQ(vision::Rle::from_counts(mask["counts"].get<std::string>(), mask["size"][0], mask["size"][1], ""),
            *dog_on_the_grass().phrases[0].mask);
  EXPECT_TRUE(data["masks"][1].is_null()) << "an empty mask is none";
  EXPECT_EQ(data["tokens"], json::parse(R"([["a", 0, 1], ["dog", 2, 5]])"));
  EXPECT_EQ(data["maps"],
            json::parse(R"({"size": [1, 2], "low": [0.0, 0.25], "high": [1.0, 0.5], "bytes": "AP8QIA=="})"));
  EXPECT_EQ(data["facts"], json::parse(R"([["seed", "7"]])"));
}

TEST(Gallery, CountsItsPicturesAndNumbersTheirBlocks) {
  Gallery gallery;
  for (int i = 0; i < 3; ++i) gallery.add(dog_on_the_grass());
  EXPECT_EQ(gallery.size(), 3);
  EXPECT_EQ(block(gallery.html(), "samples").size(), 3u);
  for (const char* id : {"sample-0", "sample-1", "sample-2"}) EXPECT_TRUE(block(gallery.data(), id).is_object()) << id;
  EXPECT_TRUE(block(gallery.data(), "sample-3").is_null());
  EXPECT_EQ(block(Gallery().html(), "samples"), json::array());
}

TEST(Gallery, OpensInTheOrderThatIsAskedFor) {
  EXPECT_TRUE(contains(Gallery().html("lowest"), "<option value=\"lowest\" selected>"));
  EXPECT_FALSE(contains(Gallery().html("lowest"), "<option value=\"index\" selected>"));
}

TEST(Gallery, WhateverTextsHoldTheyComeBackAndEndNoElement) {
  std::string long_text(20000, 'x');
  for (const std::string& text : {std::string("</script><script>alert(1)</script>"), std::string("<!-- <script>"),
                                  std::string("\"'\\ & \n\t\u2028 ]]>"), std::string("ein süßer Hund 🐶 犬"),
                                  std::string("nul \0 in it", 11), long_text}) {
    GalleryItem item = dog_on_the_grass();
    item.key = item.caption = item.source = item.phrases[0].text = item.tokens[0].text = text;
    item.facts = {{text, text}};
    item.problems = {text};
    Gallery gallery;
    gallery.add(item);
    const json sample = block(gallery.html(), "samples")[0], data = block(gallery.data(), "sample-0");
    EXPECT_EQ(sample["caption"], text);
    EXPECT_EQ(sample["key"], text);
    EXPECT_EQ(sample["source"], text);
    EXPECT_EQ(sample["problems"][0], text);
    EXPECT_EQ(sample["phrases"][0]["text"], text);
    EXPECT_EQ(data["tokens"][0][0], text);
    EXPECT_EQ(data["facts"][0], (std::vector<std::string>{text, text}));
    EXPECT_FALSE(contains(gallery.html(), "alert(1)</script>"));
  }
}

TEST(Gallery, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  GalleryItem item = dog_on_the_grass();
  item.caption = "a \xff dog";
  Gallery gallery;
  gallery.add(item);
  EXPECT_EQ(block(gallery.html(), "samples")[0]["caption"], "a \uFFFD dog");
}

/// What masks.js makes of runs, told by Node.js: the mask, and its outline filled by the even-odd rule.
TEST(Gallery, TheScriptDecodesAndOutlinesMasksExactly) {
  if (std::system("command -v node > /dev/null") != 0) GTEST_SKIP() << "no node here";
  json cases = json::array();
  for (uint64_t seed = 0; seed < 60; ++seed) {
    RandomStream random(seed, "gallery");
    const int height = 1 + int(random.integer(40)), width = 1 + int(random.integer(40));
    const double share = random.uniform(0, 1);
    std::vector<uint8_t> mask(size_t(height) * width);
    for (auto& value : mask) value = random.bernoulli(share);
    cases.push_back({{"size", {height, width}},
                     {"counts", vision::Rle::encode(mask.data(), height, width).counts()},
                     {"mask", mask}});
  }
  std::vector<uint8_t> large(700 * 900);  // runs of more than one character, and differences that are negative
  for (size_t i = 0; i < large.size(); ++i) large[i] = (i / 900 / 200 + i % 900 / 300) % 2;
  cases.push_back(
      {{"size", {700, 900}}, {"counts", vision::Rle::encode(large.data(), 700, 900).counts()}, {"mask", large}});
  testing::TemporaryFolder folder;
  write_file(folder / "cases.json", cases.dump());
  const std::string command = "node " + testing::test_file("report/masks_test.js") + " " +
                              testing::source_file("src/report/masks.js") + " " + (folder / "cases.json").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace freeatm::report
