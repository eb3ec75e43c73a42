// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/description.h"

#include <gtest/gtest.h>

#include "testing.h"

namespace freeatm::data {
namespace {

using namespace testing;

// 2 x 3 pixels, the first of which is the dog's.
const std::string kMask = R"({"size": [2, 3], "counts": "015"})";
std::string described(const std::string& phrases) {
  return R"({"caption": "a dog", "seed": 17, "sampler": {"steps": 25}, "tokens": [{"text": "dog", "span": [2, 5]}],
             "phrases": [)" +
         phrases + "]}";
}
std::string dog(const std::string& more) {
  return R"({"text": "dog", "role": "thing", "span": [2, 5], "tokens": [0])" + more + "}";
}

TEST(Description, IsReadAsItStands) {
  const std::string bytes = described(dog(R"(, "score": 0.5, "segmentation": )" + kMask + R"(, "exact": )" + kMask));
  const Description read = read_description(bytes, "a.json", 2, 3);
  EXPECT_EQ(read.caption, "a dog");
  EXPECT_TRUE(read.has_phrases);
  ASSERT_EQ(read.phrases.size(), 1u);
  EXPECT_EQ(read.phrases[0].phrase.text, "dog");
  EXPECT_EQ(read.phrases[0].score, 0.5);
  EXPECT_EQ(read.phrases[0].mask->area(), 1);
  EXPECT_EQ(read.phrases[0].exact->area(), 1);
  EXPECT_TRUE(read.tokens.empty() && read.facts.empty()) << "nobody looks at them";
  EXPECT_FALSE(read_description("{}", "a.json", 2, 3).has_phrases);
}

TEST(Description, ForTrainingMustBeWhole) {
  EXPECT_USER_ERROR(read_description(described(dog("")), "a.json", 2, 3), "a.json: is not a sample's json");
  EXPECT_USER_ERROR(read_description(described(dog(R"(, "segmentation": )" + kMask)), "a.json", 4, 4),
                    "a.json: dog: a mask of 3x2 for a picture of 4x4");
  EXPECT_USER_ERROR(read_description("[1]", "a.json", 2, 3), "a.json: is no object");
  EXPECT_USER_ERROR(read_description("{", "a.json", 2, 3), "a.json: is not a sample's json");
}

TEST(Description, WhatOtherProgramsCallPhrasesIsNobodysMatter) {
  for (const char* bytes : {R"({"caption": "a dog", "phrases": ["a dog"]})", R"({"caption": "a dog", "phrases": 3})",
                            R"({"caption": "a dog", "phrases": [{"text": "dog", "bbox": [1, 2, 3, 4]}]})",
                            R"({"caption": "a dog", "phrases": {"dog": [0, 3]}})",
                            R"({"caption": "a dog", "phrases": null, "clip_score": NaN, "loss": -Infinity})"}) {
    const Description read = read_description(bytes, "a.json", 2, 3);
    EXPECT_EQ(read.caption, "a dog") << bytes;
    EXPECT_FALSE(read.has_phrases) << bytes;
    EXPECT_TRUE(read.phrases.empty()) << bytes;
  }
  EXPECT_FALSE(read_description(R"({"caption": ["a dog", "one dog"]})", "a.json", 2, 3).caption);
  EXPECT_EQ(read_description(R"({"caption": "NaN is\nno number"})", "a.json", 2, 3).caption, "NaN is no number");
}

TEST(Description, ForTheEyeSaysWhatIsWrongAndReadsTheRest) {
  std::vector<std::string> problems;
  const std::string bytes = described(dog("") + ", " + dog(R"(, "segmentation": )" + kMask) + R"(, {"text": "cat"})");
  const Description read = read_description_noting(bytes, "a.json", 4, 4, problems);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_TRUE(contains(problems[0], "a mask of 3x2 for a picture of 4x4")) << problems[0];
  EXPECT_TRUE(contains(problems[1], "role")) << problems[1];
  ASSERT_EQ(read.phrases.size(), 2u);
  EXPECT_FALSE(read.phrases[0].mask || read.phrases[1].mask);
  ASSERT_EQ(read.tokens.size(), 1u);
  EXPECT_EQ(read.tokens[0].span.end, 5);
  const std::vector<std::pair<std::string, std::string>> facts{{"seed", "17"}, {"steps", "25"}};
  EXPECT_EQ(read.facts, facts);
}

}  // namespace
}  // namespace freeatm::data
