// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

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

// Folders and expectations: scripts/baselines/tokenizer.py.
const std::string kTransformers4 = testing::test_file("text/data/clip_transformers_4");
const std::string kTransformers5 = testing::test_file("text/data/clip_transformers_5");

const ClipTokenizer& small_tokenizer() {
  static const ClipTokenizer tokenizer(kTransformers4);
  return tokenizer;
}

TEST(ClipTokenizer, EqualsTransformersOnTwoThousandTexts) {
  const json cases = expected("clip_tokens.json");
  ASSERT_EQ(cases.size(), 2000u);
  expect_equal(small_tokenizer(), cases);
}

TEST(ClipTokenizer, ReadsTokenizerJsonAlone) {
  const ClipTokenizer tokenizer(kTransformers5);
  expect_equal(tokenizer, expected("clip_tokens.json"));
  EXPECT_EQ(tokenizer.model_max_length(), 32);
  EXPECT_EQ(tokenizer.pad_id(), small_tokenizer().pad_id());
}

TEST(ClipTokenizer, KnowsAddedTokensInAnyCase) {
  const ClipTokenizer tokenizer(kTransformers5);
  expect_equal(tokenizer, expected("clip_tokens_added.json"));
  EXPECT_EQ(tokenizer.vocab_size(), small_tokenizer().vocab_size() + 1);
  EXPECT_EQ(tokenizer.encode("a <cat-toy>").pieces.back(), "<Cat-Toy>");
}

TEST(ClipTokenizer, TakesThePaddingTokenFromTheSpecialTokensMap) {
  const TemporaryFolder folder;
  for (const char* name : {"vocab.json", "merges.txt"}) fs::copy_file(fs::path(kTransformers4) / name, folder / name);
  write_file(folder / "special_tokens_map.json", R"({"pad_token": {"content": "!", "normalized": false}})");
  write_file(folder / "tokenizer_config.json", R"({"model_max_length": 32, "pad_token": "<|endoftext|>"})");
  const ClipTokenizer tokenizer(folder.path());
  EXPECT_EQ(tokenizer.pad_id(), 0);
  expect_equal(tokenizer, expected("clip_tokens_exclaiming.json"));
}

// CLIP's own vocabulary is not shipped: FREEATM_CLIP names a folder that has it and what
// scripts/baselines/tokenizer.py wrote there.
TEST(ClipTokenizer, EqualsTransformersWithClipsVocabulary) {
  const char* folder = std::getenv("FREEATM_CLIP");
  if (folder == nullptr) GTEST_SKIP() << "FREEATM_CLIP names no folder with CLIP's vocabulary";
  const json cases = read_json(fs::path(folder) / "clip_tokens.json");
  ASSERT_EQ(cases.size(), 2000u);
  expect_equal(ClipTokenizer(folder), cases);
}

TEST(ClipTokenizer, PadsToTheModelsLength) {
  const ClipTokenizer& tokenizer = small_tokenizer();
  const Encoding encoding = tokenizer.encode("a dog");
  EXPECT_EQ(encoding.cut, 0);
  std::vector<int64_t> wanted{tokenizer.bos_id(), encoding.ids[0], encoding.ids[1]};
  wanted.resize(32, tokenizer.eos_id());
  EXPECT_EQ(tokenizer.padded_ids(encoding), wanted);
}

TEST(ClipTokenizer, SaysHowMuchOfALongTextIsCut) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "dog ";
  const Encoding encoding = small_tokenizer().encode(text);
  EXPECT_EQ(encoding.ids.size(), 30u);
  EXPECT_EQ(encoding.cut, 470);
}

TEST(ClipTokenizer, SplitsUnknownWords) {
  const Encoding encoding = small_tokenizer().encode("a left");
  EXPECT_EQ(encoding.pieces, (std::vector<std::string>{"a</w>", "l", "e", "f", "t</w>"}));
  EXPECT_EQ(encoding.spans, (std::vector<Span>{{0, 1}, {2, 3}, {3, 4}, {4, 5}, {5, 6}}));
}

TEST(ClipTokenizer, SurvivesAnyBytes) {
  const ClipTokenizer& tokenizer = small_tokenizer();
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
  EXPECT_EQ(small_tokenizer().encode(std::string(1'000'000, 'a')).ids.size(), 30u);
}

struct BadFolder {
  const char *vocab, *merges, *config, *message;
};

TEST(ClipTokenizer, RefusesWhatTokenizerJsonWouldDoOtherwise) {
  const nlohmann::json whole = nlohmann::json::parse(read_file(fs::path(kTransformers5) / "tokenizer.json"));
  const std::pair<const char*, nlohmann::json> changes[] = {
      {"/truncation/direction", "Left"}, {"/padding/direction", "Left"},     {"/model/dropout", 0.1},
      {"/model/fuse_unk", true},         {"/model/byte_fallback", true},     {"/model/continuing_subword_prefix", "##"},
      {"/model/ignore_merges", true},    {"/model/something_new", "a value"}};
  for (const auto& [place, value] : changes) {
    const TemporaryFolder folder;
    nlohmann::json changed = whole;
    changed[nlohmann::json::json_pointer(place)] = value;
    write_file(folder / "tokenizer.json", changed.dump());
    std::string key = std::string(place).substr(1);
    std::ranges::replace(key, '/', '.');
    EXPECT_USER_ERROR(ClipTokenizer(folder.path()), "tokenizer.json: " + key + ": ");
  }
  const TemporaryFolder folder;  // what the config says counts
  nlohmann::json left = whole;
  left["truncation"]["direction"] = left["padding"]["direction"] = "Left";
  write_file(folder / "tokenizer.json", left.dump());
  write_file(folder / "tokenizer_config.json", R"({"truncation_side": "right", "padding_side": "right"})");
  EXPECT_GT(ClipTokenizer(folder.path()).vocab_size(), 100);
}

TEST(ClipTokenizer, RefusesBadFolders) {
  constexpr const char* kVocab = R"({"a": 0, "b": 1, "ab": 2, "<|startoftext|>": 3, "<|endoftext|>": 4})";
  const BadFolder cases[]{
      {kVocab, "#version: 0.2\na b\na c\n", "{}", "merges.txt:3: 'c' is not in the vocabulary"},
      {kVocab, "b a\n", "{}", "merges.txt:1: 'ba' is not in the vocabulary"},
      {kVocab, "a\n", "{}", "merges.txt:1: 'a' is not two pieces"},
      {kVocab, "a b c\n", "{}", "merges.txt:1: 'a b c' is not two pieces"},
      {"{", "", "{}", "vocab.json: is not JSON"},
      {"[]", "", "{}", "vocab.json: is not an object"},
      {R"({"a": 0, "b": 0})", "", "{}", "vocab.json: b: 0 is the id of 'a' too"},
      {R"({"a": 0, "b": 7})", "", "{}", "vocab.json: b: 7 is not an id in [0, 1]"},
      {R"({"a": 0, "b": "x"})", "", "{}", "vocab.json: b: \"x\" is not an id"},
      {R"({"a": 0})", "", "{}", "bos_token: '<|startoftext|>' is not in the vocabulary"},
      {kVocab, "", R"({"pad_token": "?"})", "pad_token: '?' is not in the vocabulary"},
      {kVocab, "", R"({"model_max_length": 1})", "model_max_length: 1 is not an integer of at least 2"},
      {kVocab, "", R"({"model_max_length": "x"})", "model_max_length: \"x\" is not a number"},
      {kVocab, "", "x", "tokenizer_config.json: is not JSON"},
      {kVocab, "", "3", "tokenizer_config.json: is not an object"},
      {kVocab, "", R"({"padding_side": "left"})", "tokenizer_config.json: padding_side: \"left\" is not implemented"},
      {kVocab, "", R"({"truncation_side": "left"})", "truncation_side: \"left\" is not implemented; only \"right\" is"},
      {kVocab, "", R"({"split_special_tokens": true})", "split_special_tokens: true is not implemented"},
      {kVocab, "", R"({"tokenizer_class": "GPT2Tokenizer"})", "\"GPT2Tokenizer\" is not CLIPTokenizer or"},
      {kVocab, "", R"({"additional_special_tokens": ["<x>"]})", "\"<x>\" is not among the added tokens"},
      {kVocab, "", R"({"modle_max_length": 9})",
       "modle_max_length: 9 is a setting that this tokenizer does not know; did"},
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

TEST(ClipTokenizer, RefusesBadTokenizerJson) {
  constexpr const char* kSpecials = R"("<|startoftext|>": 0, "<|endoftext|>": 1)";
  const auto model = [&](const std::string& more) {
    return R"({"model": {"type": "BPE", "end_of_word_suffix": "</w>")" + more + "}}";
  };
  const auto merging = [&](const std::string& merges) {
    return model(format(R"(, "vocab": {{}, "a": 2, "b": 3, "ab": 4}, "merges": {})", kSpecials, merges));
  };
  const std::pair<std::string, const char*> cases[]{
      {"[]", "tokenizer.json: is not an object"},
      {"{}", "tokenizer.json: model: is not an object"},
      {R"({"model": {"type": "WordPiece"}})", "model.type: \"WordPiece\" is not \"BPE\""},
      {R"({"model": {"type": "BPE"}})", "model.end_of_word_suffix: null is not \"</w>\""},
      {model(R"(, "byte_fallback": true)"), "model.byte_fallback: true is not false"},
      {model(""), "model.vocab: is not an object of pieces"},
      {model(R"(, "vocab": {"a": -1})"), "model.vocab: a: -1 is not an id in [0, 0]"},
      {merging("{}"), "model.merges: is not a list"},
      {merging("[1]"), "model.merges[0]: 1 is not two pieces"},
      {merging(R"(["a b", ["a"]])"), "model.merges[1]: [\"a\"] is not two pieces"},
      {merging(R"(["a c"])"), "model.merges[0]: 'c' is not in the vocabulary"},
      {R"({"added_tokens": {}, )" + merging("[]").substr(1), "added_tokens: is not a list"},
      {R"({"added_tokens": [{"id": 7}], )" + merging("[]").substr(1), "{\"id\":7} is not a token with its id"},
      {R"({"added_tokens": [{"id": -7, "content": "x"}], )" + merging("[]").substr(1), "is not a token with its id"},
      {R"({"added_tokens": [{"id": 7, "content": "x", "lstrip": true}], )" + merging("[]").substr(1),
       "x: lstrip is not supported"},
  };
  for (const auto& [text, message] : cases) {
    const TemporaryFolder folder;
    write_file(folder / "tokenizer.json", text);
    EXPECT_USER_ERROR(ClipTokenizer(folder.path()), message);
  }
  const TemporaryFolder folder;
  write_file(folder / "tokenizer.json", merging(R"(["a b"])"));
  EXPECT_EQ(ClipTokenizer(folder.path()).model_max_length(), 77);
}

TEST(ClipTokenizer, DamagedFilesAreReadOrRefused) {
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"}) {
    const TemporaryFolder folder;
    const std::string source = std::string(name).starts_with("tokenizer") ? kTransformers5 : kTransformers4;
    for (const auto& entry : fs::directory_iterator(source)) fs::copy_file(entry, folder / entry.path().filename());
    const std::string whole = read_file(folder / name);
    const auto verdicts = testing::try_damaged(whole, name, 300, [&](const std::string& bytes) {
      testing::write_unsynced(folder / name, bytes);
      ClipTokenizer(folder.path()).encode("a photo of a dog");
    });
    EXPECT_GT(verdicts.refused, 50) << name;
  }
}

}  // namespace
}  // namespace freeatm::text
