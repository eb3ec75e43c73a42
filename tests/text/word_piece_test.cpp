// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/word_piece.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/text/clip_tokenizer.h"

#include "damage.h"
#include "encodings.h"
#include "testing.h"

namespace freeatm::text {
namespace {

using nlohmann::json;
using testing::TemporaryFolder;

// Vocabulary and expectations: scripts/baselines/word_piece.py. Texts are cut to 62 tokens there.
const std::string kVocabulary = testing::test_file("text/data/word_piece/vocab.txt");

WordPiece configured(const std::string& config) {
  const TemporaryFolder folder;
  fs::copy_file(kVocabulary, folder / "vocab.txt");
  write_file(folder / "tokenizer_config.json", config);
  return WordPiece(folder.path());
}

void expect_transformers(const WordPiece& tokenizer, const char* file, size_t count) {
  const json cases = expected(file);
  ASSERT_EQ(cases.size(), count);
  expect_equal(tokenizer, cases);
}

TEST(WordPiece, EqualsTransformersOnTwoThousandTexts) {
  expect_transformers(configured(R"({"model_max_length": 64})"), "word_piece_uncased.json", 2000);
}

TEST(WordPiece, KeepsCapitalsAndAccentsWhereTheConfigSaysSo) {
  expect_transformers(configured(R"({"model_max_length": 64, "do_lower_case": false})"), "word_piece_cased.json", 300);
}

TEST(WordPiece, StripsAccentsAloneAndLeavesChineseTogether) {
  const char* config = R"({"model_max_length": 64, "do_lower_case": false, "strip_accents": true,
    "tokenize_chinese_chars": false, "cls_token": {"content": "[CLS]"}, "added_tokens_decoder": {"0": {"content": "[PAD]"}}})";
  expect_transformers(configured(config), "word_piece_accents.json", 300);
}

TEST(WordPiece, CutsWordsAndSaysWhereTheyBegin) {
  const WordPiece tokenizer(kVocabulary);
  const Encoding encoding = tokenizer.encode("A carrot, D\xC3\x89j\xC3\xA0 [MASK]");
  EXPECT_EQ(encoding.pieces, (std::vector<std::string>{"a", "carrot", ",", "d", "##e", "##j", "##a", "[MASK]"}));
  EXPECT_EQ(encoding.spans[4], (Span{11, 13}));  // É
  EXPECT_EQ(encoding.spans[6], (Span{14, 16}));
  EXPECT_EQ(tokenizer.word_starts(encoding), (std::vector<bool>{1, 1, 1, 1, 0, 0, 0, 1}));
}

TEST(WordPiece, KnowsItsSpecialTokens) {
  const WordPiece tokenizer(kVocabulary);
  EXPECT_EQ(tokenizer.model_max_length(), 512);
  EXPECT_EQ(tokenizer.special_ids(), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(tokenizer.mask_id(), 4);
  EXPECT_EQ(tokenizer.id_count(), tokenizer.vocab_size());
  const Encoding encoding = tokenizer.encode("a");
  EXPECT_EQ(tokenizer.padded_ids(encoding, 5), (std::vector<int64_t>{2, encoding.ids[0], 3, 0, 0}));
}

TEST(WordPiece, AMaskThatTheVocabularyLacksGetsTheIdBehindIt) {
  const TemporaryFolder folder;
  write_file(folder / "vocab.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\n");
  const WordPiece tokenizer(folder.path());
  EXPECT_EQ(tokenizer.mask_id(), 5);
  EXPECT_EQ(tokenizer.id_count(), 6);
  EXPECT_EQ(tokenizer.special_ids(), (std::vector<int64_t>{0, 1, 2, 3, 5}));
  EXPECT_EQ(tokenizer.encode("a [MASK]").ids, (std::vector<int64_t>{4, 1, 1, 1}));
}

TEST(WordPiece, LongTextsAreCutAndTakeNoQuadraticTime) {
  const WordPiece tokenizer = configured(R"({"model_max_length": 16})");
  EXPECT_EQ(tokenizer.encode(std::string(1'000'000, 'a')).ids, std::vector<int64_t>{1});
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a ";
  Encoding encoding = tokenizer.encode(text);
  EXPECT_EQ(encoding.ids.size(), 14u);
  EXPECT_EQ(encoding.cut, 86);
  encoding.shorten(4);
  EXPECT_EQ(encoding.spans.size(), 4u);
  EXPECT_EQ(encoding.cut, 96);
}

TEST(WordPiece, SurvivesAnyBytes) {
  const WordPiece tokenizer(kVocabulary);
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; b += 5) {
      const std::string text{'a', static_cast<char>(a), static_cast<char>(b), 'o'};
      int64_t end = 0;
      for (const Span& span : tokenizer.encode(text).spans) {
        EXPECT_GE(span.end, end);
        EXPECT_LT(span.begin, span.end);
        end = span.end;
      }
      EXPECT_LE(end, 4);
    }
  }
}

TEST(WordPiece, RefusesBadFiles) {
  struct Case {
    std::string vocabulary, config, message;
  };
  const std::string good = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n";
  const Case cases[]{
      {"", "{}", "vocab.txt: has no pieces"},
      {"[PAD]\n[UNK]\n[CLS]\na\n", "{}", "vocab.txt: lacks [SEP]: it is not a vocabulary of BERT's"},
      {"a\n", "{}", "vocab.txt: lacks [PAD]"},
      {good + "b\na\n", "{}", "vocab.txt:8: 'a' stands in line 6 already"},
      {good + "\nb\n", "{}", "vocab.txt:7: is an empty line"},
      {good + "\xC3\n", "{}", "vocab.txt:7: is not UTF-8"},
      {good, "3", "tokenizer_config.json: is not an object"},
      {good, R"({"do_lower_case": 1})", "tokenizer_config.json: do_lower_case: 1 is not true or false"},
      {good, R"({"strip_accents": "no"})", "strip_accents: \"no\" is not true or false"},
      {good, R"({"unk_token": "<unk>"})", "unk_token: \"<unk>\" is not supported, [UNK] is"},
      {good, R"({"added_tokens_decoder": {"6": {"content": "<cat>"}}})", "\"<cat>\" is not the vocabulary's token 6"},
      {good, R"({"model_max_length": 1})", "model_max_length: 1 is not an integer of at least 2"},
  };
  for (const Case& bad : cases) {
    const TemporaryFolder folder;
    write_file(folder / "vocab.txt", bad.vocabulary);
    write_file(folder / "tokenizer_config.json", bad.config);
    EXPECT_USER_ERROR(WordPiece(folder.path()), bad.message);
  }
}

TEST(WordPiece, DamagedFilesAreReadOrRefused) {
  const TemporaryFolder folder;
  fs::copy_file(kVocabulary, folder / "vocab.txt");
  const std::string whole = read_file(kVocabulary);
  const auto verdicts = testing::try_damaged(whole, "vocab.txt", 300, [&](const std::string& bytes) {
    testing::write_unsynced(folder / "vocab.txt", bytes);
    WordPiece(folder.path()).encode("a photo of a dog");
  });
  EXPECT_GT(verdicts.refused, 50);
}

TEST(OpenTokenizer, ChoosesByTheFilesThatAreThere) {
  const auto word_piece = open_tokenizer(kVocabulary);
  EXPECT_NE(dynamic_cast<WordPiece*>(word_piece.get()), nullptr);
  EXPECT_EQ(open_tokenizer(fs::path(kVocabulary).parent_path().string())->encode("a dog").ids,
            word_piece->encode("a dog").ids);
  const auto clip = open_tokenizer(testing::test_file("text/data/clip_transformers_5"));
  EXPECT_NE(dynamic_cast<ClipTokenizer*>(clip.get()), nullptr);
  const TemporaryFolder empty;
  EXPECT_USER_ERROR(open_tokenizer(empty.path()), "has neither a vocab.txt (WordPiece) nor a tokenizer.json");
  EXPECT_USER_ERROR(open_tokenizer((empty / "absent").string()), "no such file or folder");
}

TEST(OpenTokenizer, BytePairsBeginWordsBehindAnEndAndHideThemBehindTheVocabulary) {
  const auto clip = open_tokenizer(testing::test_file("text/data/clip_transformers_4"));
  const Encoding encoding = clip->encode("a left<|endoftext|>dog");
  EXPECT_EQ(encoding.pieces, (std::vector<std::string>{"a</w>", "l", "e", "f", "t</w>", "<|endoftext|>", "dog</w>"}));
  EXPECT_EQ(clip->word_starts(encoding), (std::vector<bool>{1, 1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(clip->mask_id(), clip->vocab_size());
  EXPECT_EQ(clip->id_count(), clip->vocab_size() + 1);
  const auto special = clip->special_ids();
  for (const int64_t id : {clip->bos_id(), clip->eos_id(), clip->pad_id(), clip->mask_id()})
    EXPECT_NE(std::ranges::count(special, id), 0);
}

}  // namespace
}  // namespace freeatm::text
