// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/word_piece.h"

#include <optional>
#include <sstream>
#include <unordered_map>

#include "freeatm/core/error.h"
#include "freeatm/core/utf8.h"

#include "added_tokens.h"
#include "bert_words.h"
#include "tokenizer_config.h"

namespace freeatm::text {
namespace {

using nlohmann::json;

constexpr int64_t kBertLength = 512;  // BERT's positions, where the folder does not say
constexpr int64_t kLongestWord = 100;
constexpr const char *kPad = "[PAD]", *kUnknown = "[UNK]", *kCls = "[CLS]", *kSep = "[SEP]", *kMask = "[MASK]";
constexpr std::string_view kContinues = "##";

using Vocabulary = std::unordered_map<std::string, int64_t>;

bool is_utf8(std::string_view text) {
  char32_t code = 0;
  while (!text.empty()) {
    const size_t length = utf8_character(text, code);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// One piece a line; the first has id 0.
Vocabulary read_vocabulary(const fs::path& path) {
  Vocabulary out;
  std::istringstream lines(read_file(path));
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    const std::string where = format("{}:{}", path.string(), number);
    if (line.empty()) throw UserError(where, "", "is an empty line; each must have a piece");
    if (!is_utf8(line)) throw UserError(where, "", "is not UTF-8");
    const auto [known, is_new] = out.emplace(line, number - 1);
    if (!is_new) throw UserError(where, "", "'{}' stands in line {} already", line, known->second + 1);
  }
  if (out.empty()) throw UserError(path.string(), "", "has no pieces");
  for (const char* token : {kPad, kUnknown, kCls, kSep}) {
    if (!out.contains(token)) throw UserError(path.string(), "", "lacks {}: it is not a vocabulary of BERT's", token);
  }
  return out;
}

std::optional<bool> read_flag(const std::string& path, const json& config, const char* key) {
  const json value = config.value(key, json());
  if (value.is_null()) return std::nullopt;
  if (value.is_boolean()) return value.get<bool>();
  throw UserError(path, key, "{} is not true or false", value.dump());
}

BertCleaning read_cleaning(const std::string& path, const json& config) {
  BertCleaning out;
  out.lower_case = read_flag(path, config, "do_lower_case").value_or(true);
  out.strip_accents = read_flag(path, config, "strip_accents").value_or(out.lower_case);
  out.split_chinese = read_flag(path, config, "tokenize_chinese_chars").value_or(true);
  return out;
}

// Other names for special tokens, and tokens that the vocabulary lacks, would change the ids: they are refused.
void require_bert_tokens(const std::string& path, const json& config, const Vocabulary& vocabulary) {
  for (const auto& [key, name] :
       {std::pair("pad_token", kPad), std::pair("unk_token", kUnknown), std::pair("cls_token", kCls),
        std::pair("sep_token", kSep), std::pair("mask_token", kMask)}) {
    json value = config.value(key, json(name));
    if (value.is_object()) value = value.value("content", json());
    if (value != name) throw UserError(path, key, "{} is not supported, {} is", value.dump(), name);
  }
  const json added = config.value("added_tokens_decoder", json::object());
  for (const auto& [id, entry] : added.items()) {
    const json content = entry.is_object() ? entry.value("content", json()) : json();
    const auto known = content.is_string() ? vocabulary.find(content.get<std::string>()) : vocabulary.end();
    if (known == vocabulary.end() || std::to_string(known->second) != id)
      throw UserError(path, "added_tokens_decoder", "{} is not the vocabulary's token {}", content.dump(), id);
  }
}

}  // namespace

struct WordPiece::State {
  explicit State(const fs::path& path) {
    const bool is_folder = fs::is_directory(path);
    vocabulary = read_vocabulary(is_folder ? path / "vocab.txt" : path);
    const fs::path config_path = path / "tokenizer_config.json";
    const json config = is_folder ? read_optional(config_path) : json::object();
    cleaning = read_cleaning(config_path.string(), config);
    require_bert_tokens(config_path.string(), config, vocabulary);
    max_length = read_max_length(config_path, config, kBertLength);
    for (const char* token : {kPad, kUnknown, kCls, kSep, kMask}) {
      if (const auto found = vocabulary.find(token); found != vocabulary.end())
        special.push_back({found->first, found->second, /*normalized=*/false});
    }
  }

  int64_t id(const char* token) const { return vocabulary.at(token); }

  // Appends the word's pieces, or false where it cannot be cut into any.
  bool append_pieces(const Character* begin, const Character* end, Encoding& out) const {
    for (const Character* first = begin; first != end;) {
      std::string piece(first == begin ? "" : kContinues);
      std::vector<size_t> sizes{0};  // of the piece in bytes, by its characters
      for (const Character* c = first; c != end; ++c) {
        append_utf8(c->code, piece);
        sizes.push_back(piece.size());
      }
      auto found = vocabulary.end();
      size_t count = sizes.size() - 1;
      for (; count > 0 && found == vocabulary.end(); --count) {
        piece.resize(sizes[count]);
        found = vocabulary.find(piece);
      }
      if (found == vocabulary.end()) return false;
      const Character* last = first + count;  // the search went on by one
      append_token(out, found->second, found->first, {first->span.begin, last->span.end});
      first = last + 1;
    }
    return true;
  }

  void encode_word(const Character* begin, const Character* end, Encoding& out) const {
    Encoding pieces;
    if (end - begin > kLongestWord || !append_pieces(begin, end, pieces)) {
      append_token(out, id(kUnknown), kUnknown, {begin->span.begin, (end - 1)->span.end});
      return;
    }
    for (size_t i = 0; i < pieces.ids.size(); ++i) append_token(out, pieces.ids[i], pieces.pieces[i], pieces.spans[i]);
  }

  Vocabulary vocabulary;
  BertCleaning cleaning;
  int64_t max_length = kBertLength;
  std::vector<AddedToken> special;  // found in the text as it stands
};

WordPiece::WordPiece(const std::string& path) : state_(std::make_unique<State>(path)) {}
WordPiece::~WordPiece() = default;

Encoding WordPiece::encode(std::string_view text) const {
  Encoding out;
  encode_around(text, state_->special, out, [&](std::string_view stretch, size_t offset) {
    for_each_bert_word(clean_for_bert(stretch, static_cast<int64_t>(offset), state_->cleaning),
                       [&](const Character* begin, const Character* end) { state_->encode_word(begin, end, out); });
  });
  out.shorten(state_->max_length - 2);
  return out;
}

std::vector<bool> WordPiece::word_starts(const Encoding& encoding) const {
  std::vector<bool> out;  // "#" is a word of its own: no word begins with two
  for (const std::string& piece : encoding.pieces) out.push_back(!piece.starts_with(kContinues));
  return out;
}

std::vector<int64_t> WordPiece::special_ids() const {
  std::vector<int64_t> out;
  for (const AddedToken& token : state_->special) out.push_back(token.id);
  if (mask_id() == vocab_size()) out.push_back(mask_id());
  return out;
}

int64_t WordPiece::mask_id() const {
  const auto found = state_->vocabulary.find(kMask);
  return found == state_->vocabulary.end() ? vocab_size() : found->second;
}

int64_t WordPiece::model_max_length() const { return state_->max_length; }
int64_t WordPiece::bos_id() const { return state_->id(kCls); }
int64_t WordPiece::eos_id() const { return state_->id(kSep); }
int64_t WordPiece::pad_id() const { return state_->id(kPad); }
int64_t WordPiece::vocab_size() const { return static_cast<int64_t>(state_->vocabulary.size()); }

}  // namespace freeatm::text
