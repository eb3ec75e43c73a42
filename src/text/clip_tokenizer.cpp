// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/text/tokenizer.h"

#include "byte_pairs.h"
#include "clip_words.h"

namespace freeatm::text {
namespace {

using nlohmann::json;

constexpr int64_t kDefaultLength = 77;  // CLIP's context, where the folder does not say

// The object in an optional file; a missing file is an empty object.
json read_optional(const fs::path& path) {
  if (!fs::exists(path)) return json::object();
  json root = read_json(path);
  if (root.is_object()) return root;
  throw UserError(path.string(), "", "is not an object");
}

// transformers writes "pad_token": "!" or "pad_token": {"content": "!", ...}.
std::string special_token(const json& map, const json& config, const char* key, const std::string& fallback) {
  for (const json* source : {&map, &config}) {
    const json value = source->value(key, json());
    if (value.is_string()) return value.get<std::string>();
    if (value.is_object() && value.contains("content") && value["content"].is_string()) return value["content"];
  }
  return fallback;
}

int64_t read_max_length(const fs::path& path, const json& config) {
  const json value = config.value("model_max_length", json(kDefaultLength));
  if (!value.is_number()) throw UserError(path.string(), "model_max_length", "{} is not a number", value.dump());
  if (value.get<double>() > 1e6) return kDefaultLength;  // transformers' 10^30 means 'not said'
  if (!value.is_number_integer() || value.get<int64_t>() < 2) {
    throw UserError(path.string(), "model_max_length", "{} is not an integer of at least 2", value.dump());
  }
  return value.get<int64_t>();
}

}  // namespace

struct ClipTokenizer::State {
  BytePairs pairs;
  int64_t max_length = kDefaultLength;
  int64_t bos = 0, eos = 0, unknown = 0, pad = 0;
  std::vector<std::string> specials;  // found in the text as it stands, before anything else

  explicit State(const fs::path& folder) : pairs((folder / "vocab.json").string(), (folder / "merges.txt").string()) {
    const fs::path config_path = folder / "tokenizer_config.json";
    const json map = read_optional(folder / "special_tokens_map.json"), config = read_optional(config_path);
    max_length = read_max_length(config_path, config);
    const auto read = [&](const char* key, const std::string& fallback) {
      const std::string token = special_token(map, config, key, fallback);
      const int64_t id = pairs.id(token);
      if (id == BytePairs::kUnknown) throw UserError(folder.string(), key, "'{}' is not in vocab.json", token);
      specials.push_back(token);
      return id;
    };
    bos = read("bos_token", kStartOfText);
    eos = read("eos_token", kEndOfText);
    unknown = read("unk_token", kEndOfText);
    pad = read("pad_token", kEndOfText);
  }

  void append(Encoding& out, int64_t id, Span span) const {
    out.ids.push_back(id);
    out.pieces.push_back(pairs.piece(id));
    out.spans.push_back(span);
  }

  void encode_word(const Character* begin, const Character* end, Encoding& out) const {
    std::string bytes;
    std::vector<Span> spans;  // of the character that each byte belongs to
    for (const Character* c = begin; c != end; ++c) {
      append_utf8(c->code, bytes);
      spans.resize(bytes.size(), c->span);
    }
    size_t first = 0;
    for (const BytePairs::Piece& piece : pairs.split(bytes)) {
      const size_t last = first + piece.bytes - 1;
      append(out, piece.id == BytePairs::kUnknown ? unknown : piece.id, {spans[first].begin, spans[last].end});
      first = last + 1;
    }
  }
};

ClipTokenizer::ClipTokenizer(const std::string& folder) {
  require_folder(folder, "");
  state_ = std::make_unique<State>(folder);
}
ClipTokenizer::~ClipTokenizer() = default;
ClipTokenizer::ClipTokenizer(ClipTokenizer&&) noexcept = default;

Encoding ClipTokenizer::encode(std::string_view text) const {
  Encoding out;
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = text.size();
    const std::string* special = nullptr;  // the next one
    for (const std::string& token : state_->specials) {
      const size_t found = text.find(token, begin);
      if (found < end) end = found, special = &token;
    }
    for_each_clip_word(text.substr(begin, end - begin), static_cast<int64_t>(begin),
                       [&](const Character* first, const Character* last) { state_->encode_word(first, last, out); });
    begin = end;
    if (special == nullptr) continue;
    begin += special->size();
    state_->append(out, state_->pairs.id(*special), {static_cast<int64_t>(end), static_cast<int64_t>(begin)});
  }
  const auto kept = std::min(out.ids.size(), static_cast<size_t>(state_->max_length - 2));
  out.ids.resize(kept);
  out.pieces.resize(kept);
  out.spans.resize(kept);
  return out;
}

std::vector<int64_t> ClipTokenizer::padded_ids(const Encoding& encoding) const {
  FREEATM_CHECK(static_cast<int64_t>(encoding.ids.size()) <= state_->max_length - 2, "{} tokens, at most {} fit",
                encoding.ids.size(), state_->max_length - 2);
  std::vector<int64_t> out{state_->bos};
  out.insert(out.end(), encoding.ids.begin(), encoding.ids.end());
  out.push_back(state_->eos);
  out.resize(state_->max_length, state_->pad);
  return out;
}

int64_t ClipTokenizer::model_max_length() const { return state_->max_length; }
int64_t ClipTokenizer::bos_id() const { return state_->bos; }
int64_t ClipTokenizer::eos_id() const { return state_->eos; }
int64_t ClipTokenizer::pad_id() const { return state_->pad; }
int64_t ClipTokenizer::vocab_size() const { return state_->pairs.size(); }

}  // namespace freeatm::text
