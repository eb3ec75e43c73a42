// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/captions.h"

#include <map>

#include <gtest/gtest.h>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/vision/image.h"

#include "testing.h"

namespace freeatm::data {
namespace {

class Captions : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    write_file(path, text);
    return path.string();
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Captions, OfTextAreItsLines) {
  const auto captions = read_captions(file("a.txt", "a dog\r\n\n  \nzwei Hunde \xc3\xa4\n"));
  ASSERT_EQ(captions.size(), 2u);
  EXPECT_EQ(captions[0].text, "a dog");
  EXPECT_FALSE(captions[0].is_annotated);
  EXPECT_EQ(captions[1].text, "zwei Hunde \xc3\xa4");
}

TEST_F(Captions, OfJsonLinesNamePhrasesByTextOrSpan) {
  const auto captions = read_captions(file("a.jsonl", R"({"caption": "a dog on grass", "phrases": [{"text": "dog"},)"
                                                      R"( {"span": [9, 14], "role": "stuff"}]})"
                                                      "\n{\"caption\": \"a cat\"}\n"));
  ASSERT_EQ(captions.size(), 2u);
  ASSERT_EQ(captions[0].phrases.size(), 2u);
  const text::Phrase dog = captions[0].phrases[0], grass = captions[0].phrases[1];
  EXPECT_EQ(dog.span, (text::Span{2, 5}));
  EXPECT_EQ(dog.role, text::Role::kThing);
  EXPECT_EQ(grass.text, "grass");
  EXPECT_EQ(grass.role, text::Role::kStuff);
  EXPECT_FALSE(captions[1].is_annotated);
}

TEST_F(Captions, OfAnyKindOfFileAreReadByEndingAndContent) {
  const std::string json = "{\"caption\": \"a pig\"}\n", mark = "\xEF\xBB\xBF";
  for (const auto& [name, text] :
       std::map<std::string, std::string>{{"A.JSONL", json},
                                          {"b.ndjson", mark + json},
                                          {"c.txt", json},
                                          {"d.txt", mark + "a pig\n"},
                                          {"e", "  a pig \t\r\n"},
                                          {"F.JSON", mark + R"({"annotations": [{"caption": "a pig\n"}]})"}}) {
    const auto captions = read_captions(file(name, text));
    ASSERT_EQ(captions.size(), 1u) << name;
    EXPECT_EQ(captions[0].text, "a pig") << name;
  }
  EXPECT_EQ(read_captions(file("classes.jsonl", json), {"one {}"})[0].text, "one a pig");
  EXPECT_EQ(read_captions(file("classes.txt", mark + " pig \n"), {"one {}"})[0].text, "one pig");
  EXPECT_EQ(read_captions(file("plain.txt", "a dog\n{\"a\": 1}\n")).size(), 2u) << "warned of, and kept";
}

TEST_F(Captions, ThatAreNullOrBlankArePassedOver) {
  const auto captions =
      read_captions(file("a.jsonl", "{\"caption\": null}\n{\"caption\": \" \"}\n{\"caption\": \"a big\\nrocket\"}\n"));
  ASSERT_EQ(captions.size(), 1u);
  EXPECT_EQ(captions[0].text, "a big rocket");
  EXPECT_USER_ERROR(read_captions(file("b.jsonl", "{\"caption\": null}\n")), "holds no caption");
}

TEST_F(Captions, HavePhrasesWhereTheyStand) {
  const auto spans = [&](const std::string& line) {
    std::vector<text::Span> out;
    const auto captions = read_captions(file("p.jsonl", line));
    for (const auto& phrase : captions[0].phrases) out.push_back(phrase.span);
    return out;
  };
  using Spans = std::vector<text::Span>;
  const std::string cars = R"({"caption": "a car and a police car", "phrases": [)";
  EXPECT_EQ(spans(cars + R"({"text": "police car"}, {"text": "car"}]})"), (Spans{{12, 22}, {2, 5}}));
  EXPECT_EQ(spans(cars + R"({"text": "car"}, {"text": "police car"}]})"), (Spans{{2, 5}, {12, 22}}));
  EXPECT_EQ(spans(R"({"caption": "a C++ book", "phrases": [{"text": "C++"}]})"), (Spans{{2, 5}}));
  EXPECT_EQ(spans(R"({"caption": "a café pig", "phrases": [{"text": "pig", "span": [8, 11]}]})"), (Spans{{8, 11}}));
  EXPECT_USER_ERROR(
      spans(R"({"caption": "a café pig", "phrases": [{"text": "pig", "span": [7, 10]}]})"),
      "span: [7, 10) of 'a café pig' is not 'pig'; spans count the bytes of UTF-8, where it stands at [8, 11)");
  EXPECT_USER_ERROR(spans(R"({"caption": "a café", "phrases": [{"span": [2, 6]}]})"), "spans count the bytes of UTF-8");
  EXPECT_USER_ERROR(spans(R"({"caption": "a pig and a car", "phrases": [{"text": "pig", "span": [12, 15]}]})"),
                    "is not 'pig'");
  EXPECT_USER_ERROR(spans(R"({"caption": "a car", "phrases": [{"text": "car"}, {"text": "car"}]})"),
                    "more often than it stands");
}

TEST_F(Captions, OfCocoAreAllOfThem) {
  const auto captions = read_captions(file("captions_val.json", R"({"images": [], "annotations": [)"
                                                                R"({"image_id": 1, "id": 1, "caption": "a dog"},)"
                                                                R"({"image_id": 1, "id": 2, "caption": "one dog"}]})"));
  ASSERT_EQ(captions.size(), 2u);
  EXPECT_EQ(captions[1].text, "one dog");
}

TEST_F(Captions, OfClassNamesFillTheTemplates) {
  const auto path = file("classes.txt", "dog\nfire truck\n");
  const auto captions = read_captions(path, {"a photo of a {}", "{} at night"});
  ASSERT_EQ(captions.size(), 4u);
  EXPECT_EQ(captions[1].text, "a photo of a fire truck");
  EXPECT_EQ(captions[1].phrases[0].span, (text::Span{13, 23}));
  EXPECT_EQ(captions[2].text, "dog at night");
  EXPECT_EQ(captions[2].phrases[0].span, (text::Span{0, 3}));
  EXPECT_USER_ERROR(read_captions(path, {"a photo"}), "'a photo' needs one {}");
  EXPECT_USER_ERROR(read_captions(path, {"{} and {}"}), "needs one {}");
}

TEST_F(Captions, BadFilesAreRefusedWithTheirLine) {
  EXPECT_USER_ERROR(read_captions(file("e.txt", "\n \n")), "holds no caption");
  EXPECT_USER_ERROR(read_captions(file("b.txt", std::string("a dog\n\x01\x02", 8))),
                    "b.txt:2: captions: holds a control character (1)");
  EXPECT_USER_ERROR(read_captions(file("u.txt", "\xff\xfe")), "u.txt:1: captions: is not UTF-8");
  EXPECT_USER_ERROR(read_captions(file("a.jsonl", "{\"caption\": \"a\"}\n{\"text\": 1}\n")), "a.jsonl:2");
  EXPECT_USER_ERROR(read_captions(file("b.jsonl", "{\"caption\": \"a\", \"phrases\": [{\"text\": \"dog\"}]}\n")),
                    "'dog' does not stand in 'a'");
  EXPECT_USER_ERROR(read_captions(file("c.jsonl", "{\"caption\": \"a\", \"phrases\": [{\"span\": [0, 9]}]}\n")),
                    "[0, 9) lies outside of 'a'");
  EXPECT_USER_ERROR(read_captions(file("a.json", "{\"annotations\": [")), "a.json: captions: is no whole file");
  EXPECT_USER_ERROR(read_captions((folder_ / "none.txt").string()), "no such file");
}

TEST_F(Captions, FolderOfLinkedFolders) {
  fs::create_directories(folder_ / "store");
  fs::create_directories(folder_ / "root");
  file("store/two.png", vision::encode_png(vision::Image(3, 5)));
  file("store/two.TXT", "a cat");
  fs::create_directory_symlink("../store", folder_ / "root/linked");
  const auto dataset = open_dataset({.root = (folder_ / "root").string()});
  ASSERT_EQ(dataset->size(), 1);
  RandomStream unused(0, "test");
  EXPECT_EQ(dataset->get(0, unused).key, "linked/two");
  EXPECT_EQ(dataset->get(0, unused).caption(), "a cat");
}

TEST_F(Captions, FolderOfPicturesWithTexts) {
  fs::create_directory(folder_ / "b");
  file("b/two.png", vision::encode_png(vision::Image(3, 5)));
  file("b/two.txt", " a cat\n");
  file("one.jpg", vision::encode_jpeg(vision::Image(4, 4)));
  file("one.txt", "a dog");
  file("one.json", "{}");  // img2dataset's, passed over
  const auto dataset = open_dataset({.root = folder_.path().string()});
  ASSERT_EQ(dataset->size(), 2);
  RandomStream unused(0, "test");
  EXPECT_EQ(dataset->get(0, unused).caption(), "a cat");
  EXPECT_EQ(dataset->get(0, unused).image.width, 5);
  EXPECT_EQ(dataset->get(1, unused).key, "one");
  file("three.png", vision::encode_png(vision::Image(2, 2)));
  EXPECT_USER_ERROR(open_caption_folder(folder_.path().string()), "three.png: data.root: has no caption: three.txt");
  fs::remove(folder_ / "three.png");
  file("four.txt", "nothing");
  EXPECT_USER_ERROR(open_caption_folder(folder_.path().string()), "four.txt: data.root: is a caption of no picture");
}

}  // namespace
}  // namespace freeatm::data
