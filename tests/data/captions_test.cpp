// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/captions.h"

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
  EXPECT_USER_ERROR(read_captions(file("b.txt", std::string("a dog\n\x01\x02", 8))), "b.txt:2: captions: is not UTF-8");
  EXPECT_USER_ERROR(read_captions(file("u.txt", "\xff\xfe")), "u.txt:1");
  EXPECT_USER_ERROR(read_captions(file("a.jsonl", "{\"caption\": \"a\"}\n{\"text\": 1}\n")), "a.jsonl:2");
  EXPECT_USER_ERROR(read_captions(file("b.jsonl", "{\"caption\": \"a\", \"phrases\": [{\"text\": \"dog\"}]}\n")),
                    "'dog' does not stand in 'a'");
  EXPECT_USER_ERROR(read_captions(file("c.jsonl", "{\"caption\": \"a\", \"phrases\": [{\"span\": [0, 9]}]}\n")),
                    "[0, 9) lies outside of 'a'");
  EXPECT_USER_ERROR(read_captions(file("d.jsonl", "{\"caption\": \" \"}\n")), "d.jsonl:1: caption: is empty");
  EXPECT_USER_ERROR(read_captions(file("a.json", "{\"annotations\": [")), "a.json: captions: is no whole file");
  EXPECT_USER_ERROR(read_captions((folder_ / "none.txt").string()), "no such file");
}

TEST_F(Captions, FolderOfPicturesWithTexts) {
  fs::create_directory(folder_ / "b");
  file("b/two.png", vision::encode_png(vision::Image(3, 5)));
  file("b/two.txt", " a cat\n");
  file("one.jpg", vision::encode_jpeg(vision::Image(4, 4)));
  file("one.txt", "a dog");
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
