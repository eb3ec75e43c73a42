// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/bpe_trainer.h"

#include <gtest/gtest.h>

#include "freeatm/text/clip_tokenizer.h"

#include "testing.h"

namespace freeatm::text {
namespace {

using Merges = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> repeated(const std::vector<std::pair<std::string, int>>& words) {
  std::vector<std::string> captions;
  for (const auto& [word, times] : words) captions.insert(captions.end(), times, word);
  return captions;
}

ClipTokenizer trained_on(const std::vector<std::string>& captions, const testing::TemporaryFolder& folder) {
  save_clip_tokenizer(folder / "tokenizer", learn_byte_pairs(captions, {.min_frequency = 1}, ""), 12);
  return ClipTokenizer((folder / "tokenizer").string());
}

// The example of Sennrich et al. 2016, figure 1 and its text; equally frequent pairs in alphabetical order.
TEST(BytePairTrainer, MergesTheMostFrequentPairFirst) {
  const auto vocabulary =
      learn_byte_pairs(repeated({{"low", 5}, {"lowest", 2}, {"newer", 6}, {"wider", 3}}), {.min_frequency = 1}, "");
  const Merges first(vocabulary.merges.begin(), vocabulary.merges.begin() + 4);
  // "e r</w>" 9; "e w" 6, "ew er</w>" 6 and "n ew" after it; "l o" 7 comes before them
  EXPECT_EQ(first, (Merges{{"e", "r</w>"}, {"l", "o"}, {"e", "w"}, {"ew", "er</w>"}}));
  EXPECT_EQ(vocabulary.words, 4);
}

TEST(BytePairTrainer, MakesEveryFrequentWordOneToken) {
  const testing::TemporaryFolder folder;
  const std::vector<std::string> captions = {"A photo of a dog, and an apple!", "two dogs' naïve 日本 don't stop 42",
                                             "a DOG aaaa aaaaaaa <|endoftext|"};
  const ClipTokenizer tokenizer = trained_on(captions, folder);
  EXPECT_EQ(tokenizer.encode("a photo of a dog").pieces,
            (std::vector<std::string>{"a</w>", "photo</w>", "of</w>", "a</w>", "dog</w>"}));
  EXPECT_EQ(tokenizer.encode("Naïve aaaa 日本").pieces.size(), 3u);
  EXPECT_EQ(tokenizer.encode("aaaaaaa don't").pieces.size(), 3u);  // don, 't: CLIP's words
  EXPECT_EQ(tokenizer.encode("cat").pieces.size(), 3u);            // never seen: bytes
  EXPECT_EQ(tokenizer.model_max_length(), 12);
  EXPECT_EQ(tokenizer.eos_id(), tokenizer.vocab_size() - 1);
  EXPECT_EQ(tokenizer.bos_id(), tokenizer.vocab_size() - 2);
  EXPECT_EQ(tokenizer.pad_id(), tokenizer.eos_id());
}

TEST(BytePairTrainer, LeavesRareWordsInPieces) {
  const auto vocabulary = learn_byte_pairs({"dog dog zebra"}, {.min_frequency = 2}, "");
  EXPECT_EQ(vocabulary.merges, (Merges{{"d", "o"}, {"do", "g</w>"}}));
  EXPECT_EQ(vocabulary.pieces.size(), 512u + 2 + 2);
  EXPECT_EQ(vocabulary.words, 1);
}

TEST(BytePairTrainer, RefusesAVocabularyThatIsTooSmall) {
  const std::vector<std::string> captions = {"dog dog"};
  EXPECT_NO_THROW(learn_byte_pairs(captions, {.vocab_size = 516}, "x"));
  EXPECT_USER_ERROR(learn_byte_pairs(captions, {.vocab_size = 515}, "x"),
                    "x: vocab_size: 515 is too small: the 1 words that stand 2 times or more in the captions need 516");
  EXPECT_USER_ERROR(learn_byte_pairs(captions, {.min_frequency = 3}, "x"), "no word stands 3 times");
}

TEST(BytePairTrainer, DependsOnTheWordsAloneNotOnTheirOrder) {
  const auto a = learn_byte_pairs({"red car", "blue car", "red bus"}, {.min_frequency = 1}, "");
  const auto b = learn_byte_pairs({"red bus", "car blue", "car red"}, {.min_frequency = 1}, "");
  EXPECT_EQ(a.merges, b.merges);
  EXPECT_EQ(a.pieces, b.pieces);
}

}  // namespace
}  // namespace freeatm::text
