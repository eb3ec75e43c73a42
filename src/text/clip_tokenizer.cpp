// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/clip_tokenizer.h"

#include <algorithm>

#include "added_tokens.h"
#include "clip_folder.h"
#include "clip_words.h"

namespace freeatm::text {
struct ClipTokenizer::State {
  explicit State(const fs::path& path) : folder(read_clip_folder(path)) {
    for (const AddedToken& token : folder.added) {
      cleaned.push_back(token.normalized ? clean(token.content, 0) : std::vector<Character>());
      vocab_size = std::max(vocab_size, token.id + 1);
    }
    vocab_size = std::max(vocab_size, folder.pairs.size());
  }

  void encode_word(const Character* begin, const Character* end, Encoding& out) const {
    std::string bytes;
    std::vector<Span> spans;  // of the character that each byte belongs to
    for (const Character* c = begin; c != end; ++c) {
      append_utf8(c->code, bytes);
      spans.resize(bytes.size(), c->span);
    }
    size_t first = 0;
    for (const BytePairs::Piece& piece : folder.pairs.split(bytes)) {
      const size_t last = first + piece.bytes - 1;
      const bool known = piece.id != BytePairs::kUnknown;
      append_token(out, known ? piece.id : folder.unknown.id,
                   known ? folder.pairs.piece(piece.id) : folder.unknown.content,
                   {spans[first].begin, spans[last].end});
      first = last + 1;
    }
  }

  Found find_in_cleaned(const std::vector<Character>& text, size_t from) const {
    Found best;
    for (size_t i = 0; i < cleaned.size(); ++i) {
      if (cleaned[i].empty()) continue;
      const auto at = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), cleaned[i].begin(),
                                  cleaned[i].end(), [](const auto& a, const auto& b) { return a.code == b.code; });
      const auto begin = static_cast<size_t>(at - text.begin());
      const Found found{&folder.added[i], begin, begin + cleaned[i].size()};
      if (at != text.end() && found.wins_over(best)) best = found;
    }
    return best;
  }

  // A stretch of the text without the tokens that are found in it as it stands.
  void encode_stretch(std::string_view text, size_t offset, Encoding& out) const {
    const std::vector<Character> characters = clean(text, static_cast<int64_t>(offset));
    for (size_t begin = 0; begin < characters.size();) {
      const Found found = find_in_cleaned(characters, begin);
      const size_t end = found.token == nullptr ? characters.size() : found.begin;
      for_each_clip_word(characters.data() + begin, characters.data() + end,
                         [&](const Character* first, const Character* last) { encode_word(first, last, out); });
      if (found.token == nullptr) return;
      append_token(out, found.token->id, found.token->content,
                   {characters[found.begin].span.begin, characters[found.end - 1].span.end});
      begin = found.end;
    }
  }

  ClipFolder folder;
  std::vector<std::vector<Character>> cleaned;  // of each added token that is found in the cleaned text, else empty
  int64_t vocab_size = 0;
};

ClipTokenizer::ClipTokenizer(const std::string& folder) : state_(std::make_unique<State>(folder)) {}
ClipTokenizer::~ClipTokenizer() = default;
ClipTokenizer::ClipTokenizer(ClipTokenizer&&) noexcept = default;

Encoding ClipTokenizer::encode(std::string_view text) const {
  Encoding out;
  encode_around(text, state_->folder.added, out,
                [&](std::string_view stretch, size_t offset) { state_->encode_stretch(stretch, offset, out); });
  out.shorten(model_max_length() - 2);
  return out;
}

std::vector<bool> ClipTokenizer::word_starts(const Encoding& encoding) const {
  const std::vector<int64_t> special = special_ids();
  std::vector<bool> out;
  bool ended = true;  // the word before
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const bool alone = std::ranges::count(special, encoding.ids[i]) > 0;
    out.push_back(ended || alone);
    ended = alone || encoding.pieces[i].ends_with(kEndOfWord);
  }
  return out;
}

std::vector<int64_t> ClipTokenizer::special_ids() const {
  std::vector<int64_t> out{mask_id()};
  for (const AddedToken& token : state_->folder.added) out.push_back(token.id);
  return out;
}

int64_t ClipTokenizer::model_max_length() const { return state_->folder.max_length; }
int64_t ClipTokenizer::bos_id() const { return state_->folder.bos.id; }
int64_t ClipTokenizer::eos_id() const { return state_->folder.eos.id; }
int64_t ClipTokenizer::pad_id() const { return state_->folder.pad.id; }
int64_t ClipTokenizer::vocab_size() const { return state_->vocab_size; }

}  // namespace freeatm::text
