// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/tokenizer.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm::text {
namespace {

using nlohmann::json;
using testing::TemporaryFolder;

const std::string kFolder = testing::source_file("models/emoji/tokenizer");

const ClipTokenizer& emoji_tokenizer() {
  static const ClipTokenizer tokenizer(kFolder);
  return tokenizer;
}

// What transformers makes of the texts: scripts/baselines/tokenizer.py.
json expected(const char* part) {
  static const json all = json::parse(read_file(testing::test_file("text/data/clip_tokens.json")));
  return all.at(part);
}

void expect_equal(const ClipTokenizer& tokenizer, const json& wanted) {
  const auto text = wanted.at("text").get<std::string>();
  const Encoding encoding = tokenizer.encode(text);
  EXPECT_EQ(tokenizer.padded_ids(encoding), wanted.at("padded").get<std::vector<int64_t>>()) << text;
  EXPECT_EQ(encoding.pieces, wanted.at("pieces").get<std::vector<std::string>>()) << text;
  json spans = json::array();
  for (const Span& span : encoding.spans) spans.push_back({span.begin, span.end});
  EXPECT_EQ(spans, wanted.at("spans")) << text;
}

TEST(ClipTokenizer, EqualsTransformers) {
  const json cases = expected("cases");
  EXPECT_GE(cases.size(), 300u);
  for (const json& wanted : cases) expect_equal(emoji_tokenizer(), wanted);
}

TEST(ClipTokenizer, TakesThePaddingTokenFromTheSpecialTokensMap) {
  const TemporaryFolder folder;
  for (const char* name : {"vocab.json", "merges.txt"}) fs::copy_file(fs::path(kFolder) / name, folder / name);
  write_file(folder / "special_tokens_map.json", R"({"pad_token": {"content": "!", "normalized": false}})");
  write_file(folder / "tokenizer_config.json", R"({"model_max_length": 32, "pad_token": "<|endoftext|>"})");
  const ClipTokenizer tokenizer(folder.path());
  EXPECT_EQ(tokenizer.pad_id(), 0);
  for (const json& wanted : expected("padded_with_exclamation_marks")) expect_equal(tokenizer, wanted);
}

TEST(ClipTokenizer, SplitsUnknownWords) {
  const Encoding encoding = emoji_tokenizer().encode("a left");
  EXPECT_EQ(encoding.pieces, (std::vector<std::string>{"a</w>", "lef", "t</w>"}));
  EXPECT_EQ(encoding.spans, (std::vector<Span>{{0, 1}, {2, 5}, {5, 6}}));
}

TEST(ClipTokenizer, KnowsItsFolder) {
  const ClipTokenizer& tokenizer = emoji_tokenizer();
  EXPECT_EQ(tokenizer.model_max_length(), 32);
  EXPECT_EQ(tokenizer.vocab_size(), 710);
  EXPECT_EQ(tokenizer.bos_id(), 708);
  EXPECT_EQ(tokenizer.eos_id(), 709);
  EXPECT_EQ(tokenizer.pad_id(), 709);
}

TEST(ClipTokenizer, SurvivesAnyBytes) {
  const ClipTokenizer& tokenizer = emoji_tokenizer();
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; b += 5) {
      const std::string text{'a', static_cast<char>(a), static_cast<char>(b), 'x'};
      int64_t end = 0;
      for (const Span& span : tokenizer.encode(text).spans) {
        EXPECT_GE(span.end, end);
        EXPECT_LT(span.begin, span.end);
        end = span.end;
      }
      EXPECT_LE(end, 4);
    }
  }
  // Each byte that is no UTF-8 is read as U+FFFD.
  for (const char* bad : {"\x80", "\xC0", "\xFF"})
    EXPECT_EQ(tokenizer.encode(bad).ids, tokenizer.encode("\xEF\xBF\xBD").ids);
  const std::string surrogate = "\xED\xA0\x80", three = "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD";
  EXPECT_EQ(tokenizer.encode(surrogate).ids, tokenizer.encode(three).ids);
}

TEST(ClipTokenizer, LongWordsTakeNoQuadraticTime) {
  EXPECT_EQ(emoji_tokenizer().encode(std::string(1'000'000, 'a')).ids.size(), 30u);
}

struct BadFolder {
  const char *vocab, *merges, *config, *message;
};

TEST(ClipTokenizer, RefusesBadFolders) {
  constexpr const char* kVocab = R"({"a": 0, "b": 1, "ab": 2, "<|startoftext|>": 3, "<|endoftext|>": 4})";
  const BadFolder cases[]{
      {kVocab, "#version: 0.2\na b\na c\n", "{}", "merges.txt:3: 'c' is not in vocab.json"},
      {kVocab, "b a\n", "{}", "merges.txt:1: 'ba' is not in vocab.json"},
      {kVocab, "a\n", "{}", "merges.txt:1: 'a' is not two pieces"},
      {kVocab, "a b c\n", "{}", "merges.txt:1: 'a b c' is not two pieces"},
      {"{", "", "{}", "vocab.json: is not JSON"},
      {"[]", "", "{}", "vocab.json: is not an object"},
      {R"({"a": 0, "b": 0})", "", "{}", "vocab.json: b: 0 is the id of 'a' too"},
      {R"({"a": 0, "b": 7})", "", "{}", "vocab.json: b: 7 is not an id in [0, 1]"},
      {R"({"a": 0, "b": "x"})", "", "{}", "vocab.json: b: \"x\" is not an id"},
      {R"({"a": 0})", "", "{}", "bos_token: '<|startoftext|>' is not in vocab.json"},
      {kVocab, "", R"({"pad_token": "?"})", "pad_token: '?' is not in vocab.json"},
      {kVocab, "", R"({"model_max_length": 1})", "model_max_length: 1 is not an integer of at least 2"},
      {kVocab, "", R"({"model_max_length": "x"})", "model_max_length: \"x\" is not a number"},
      {kVocab, "", "x", "tokenizer_config.json: is not JSON"},
      {kVocab, "", "3", "tokenizer_config.json: is not an object"},
  };
  for (const BadFolder& bad : cases) {
    const TemporaryFolder folder;
    write_file(folder / "vocab.json", bad.vocab);
    write_file(folder / "merges.txt", bad.merges);
    write_file(folder / "tokenizer_config.json", bad.config);
    EXPECT_USER_ERROR(ClipTokenizer(folder.path()), bad.message);
  }
  const TemporaryFolder empty;
  EXPECT_USER_ERROR(ClipTokenizer(empty.path()), "vocab.json: no such file");
  write_file(empty / "vocab.json", kVocab);
  EXPECT_USER_ERROR(ClipTokenizer(empty.path()), "merges.txt: no such file");
  EXPECT_USER_ERROR(ClipTokenizer((empty / "absent").string()), "no such folder");
  write_file(empty / "merges.txt", "a b\n");
  const ClipTokenizer tiny(empty.path());  // bytes that the vocabulary lacks become the unknown token
  EXPECT_EQ(tiny.model_max_length(), 77);
  EXPECT_EQ(tiny.encode("z").ids, std::vector<int64_t>{4});
}

}  // namespace
}  // namespace freeatm::text
