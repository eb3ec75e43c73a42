// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace freeatm::text {

/// [begin, end) in bytes of the UTF-8 text.
struct Span {
  int64_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

/// What a phrase names: crops, guided masking and foreground use things only.
enum class Role { kThing, kStuff, kIgnored };
std::string_view role_name(Role role);       // "thing", "stuff", "ignored"
Role role_from_name(std::string_view name);  // throws UserError

struct Phrase {
  std::string text;  // as it stands in the caption: "fire truck"
  Role role = Role::kIgnored;
  Span span;
  std::vector<int64_t> tokens;  // indices into the caption's tokens, the start token not counted
};

/// The tokens that overlap a part of the text.
std::vector<int64_t> tokens_in(const Span& part, const std::vector<Span>& token_spans);

/// Names whose roles are known: the world's classes and places, or a user's class list.
struct Lexicon {
  std::vector<std::string> things, stuff;  // lower case; may have several words
};

/// The caption's phrases in order: longest names first, whole words, any case, plural 's' allowed; words that the
/// lexicon does not know become no phrase. `token_spans`: from Tokenizer::encode; a phrase gets every token that
/// overlaps its span.
std::vector<Phrase> find_phrases(std::string_view caption, const Lexicon& lexicon,
                                 const std::vector<Span>& token_spans);

}  // namespace freeatm::text
