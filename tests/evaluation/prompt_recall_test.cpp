// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/prompt_recall.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/world/world.h"

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

const std::vector<std::string> kWorldClasses = {"dog", "car", "police car", "strawberry", "bus", "palm tree", "tree"};

std::string class_name(const std::string& noun) {
  const auto label = class_of_noun(noun, kWorldClasses);
  return label ? kWorldClasses[*label] : "nothing";
}

TEST(ClassOfNoun, SeesThroughNumberAdjectiveAndCase) {
  EXPECT_EQ(class_name("dog"), "dog");
  EXPECT_EQ(class_name("Dogs"), "dog");
  EXPECT_EQ(class_name("two small dogs"), "dog");
  EXPECT_EQ(class_name("strawberries"), "strawberry");
  EXPECT_EQ(class_name("three buses"), "bus");
}

TEST(ClassOfNoun, TakesTheLongestNameAndTheHead) {
  EXPECT_EQ(class_name("a big police car"), "police car");
  EXPECT_EQ(class_name("police cars"), "police car");
  EXPECT_EQ(class_name("fast car"), "car");
  EXPECT_EQ(class_name("palm trees"), "palm tree");
  EXPECT_EQ(class_name("dog car"), "car");
}

TEST(ClassOfNoun, KnowsNothingElse) {
  EXPECT_EQ(class_name("cat"), "nothing");
  EXPECT_EQ(class_name("hotdog"), "nothing");
  EXPECT_EQ(class_name("carpet"), "nothing");
  EXPECT_EQ(class_name(""), "nothing");
}

TEST(ClassOfNoun, KnowsEveryClassOfTheWorld) {
  const auto classes = world::class_names();
  for (size_t k = 0; k < classes.size(); ++k) {
    EXPECT_EQ(class_of_noun(classes[k], classes), static_cast<int64_t>(k)) << classes[k];
    EXPECT_EQ(class_of_noun("a small " + classes[k], classes), static_cast<int64_t>(k)) << classes[k];
  }
}

// The referee sees what stands in the key, a digit a class.
at::Tensor key_logits(std::span<const data::Sample> samples) {
  at::Tensor logits = at::full({static_cast<int64_t>(samples.size()), 3}, -1.0);
  for (size_t i = 0; i < samples.size(); ++i) {
    for (const char digit : samples[i].key) logits[static_cast<int64_t>(i)][digit - '0'] = 1.0;
  }
  return logits;
}

data::Sample picture(const std::string& seen, const std::vector<std::string>& things) {
  data::Sample sample;
  sample.key = seen;
  for (const auto& thing : things) sample.regions.push_back({.name = thing});
  sample.regions.push_back({.name = "dog", .role = text::Role::kStuff});  // only things are asked for
  return sample;
}

TEST(PromptRecall, CountsNounsAndItsControls) {
  PromptRecall recall(key_logits, {"dog", "cat", "cow"});
  recall.process(std::vector{picture("0", {"two dogs"}), picture("02", {"dog", "cat"})});
  recall.process(std::vector{picture("", {"cow"}), picture("1", {"small cat", "cat", "unicorn"})});
  const auto metrics = testing::by_name(recall.result());
  EXPECT_EQ(metrics.at("nouns"), 5);
  EXPECT_EQ(metrics.at("unmapped_nouns"), 1);
  EXPECT_EQ(metrics.at("pictures"), 4);
  EXPECT_DOUBLE_EQ(metrics.at("recall"), 3.0 / 5);        // dog, dog, cat
  EXPECT_DOUBLE_EQ(metrics.at("all_recalled"), 2.0 / 4);  // the first and the last
  EXPECT_DOUBLE_EQ(metrics.at("recall_by_nouns.1"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.at("recall_by_nouns.2"), 1.0 / 2);
  EXPECT_DOUBLE_EQ(metrics.at("recall_by_class.dog"), 1);
  EXPECT_DOUBLE_EQ(metrics.at("recall_by_class.cat"), 1.0 / 2);
  EXPECT_DOUBLE_EQ(metrics.at("recall_by_class.cow"), 0);
  EXPECT_DOUBLE_EQ(metrics.at("unprompted_per_picture"), 1.0 / 4);  // the second's cow
  // The captions of the pictures two places on: cow, cat, dog, dog and cat, of which the fourth picture shows a cat.
  EXPECT_DOUBLE_EQ(metrics.at("recall_shuffled"), 1.0 / 5);

  recall.reset();
  recall.process(std::vector{picture("0", {"unicorn"})});
  EXPECT_USER_ERROR(recall.result(), "none of the 1 nouns in the captions is one of its 3 classes (dog, ...)");
}

}  // namespace
}  // namespace freeatm::evaluation
