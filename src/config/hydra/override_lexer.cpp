// SPDX-License-Identifier: Apache-2.0
#include "hydra/override_lexer.h"

#include <algorithm>
#include <cctype>

#include "freeatm/core/error.h"
#include "freeatm/core/utf8.h"

#include "scalar.h"

namespace freeatm::config {
namespace {

class Lexer {
 public:
  Lexer(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  std::vector<OverrideToken> tokens() {
    std::vector<OverrideToken> out;
    while (at_ < text_.size()) out.push_back(next());
    out.push_back({OverrideToken::Kind::kEnd, {}});
    return out;
  }

 private:
  using Kind = OverrideToken::Kind;

  OverrideToken next() {
    const std::string_view rest = text_.substr(at_);
    const size_t blank = std::min(rest.find_first_not_of(kOverrideBlank), rest.size());
    if (const size_t length = mark_length(rest, blank)) return {Kind::kMark, take(length), rest[blank]};
    if (blank > 0) return {Kind::kBlank, take(blank)};
    if (rest[0] == '"' || rest[0] == '\'') return {Kind::kQuoted, take(quoted_length(rest))};
    if (rest.starts_with("${")) {
      const size_t end = rest.find('}');
      if (end != std::string_view::npos && end > 2) return {Kind::kInterpolation, take(end + 1)};
    }
    if (const size_t length = escape_length(rest)) return {Kind::kEscape, take(length)};
    if (const size_t length = std::max(number_prefix(rest), name_length(rest))) return {Kind::kWord, take(length)};
    if (kPlainCharacters.find(rest[0]) != std::string_view::npos) return {Kind::kCharacter, take(1)};
    char32_t code_point = 0;
    const std::string_view character = rest.substr(0, std::max<size_t>(1, utf8_character(rest, code_point)));
    throw UserError(where_, "", "'{}' needs quotes", character);
  }

  // Blanks around a mark belong to it, except those in front of what opens a list or a map.
  size_t mark_length(std::string_view rest, size_t blank) const {
    if (blank == rest.size()) return 0;
    const char c = rest[blank];
    if (std::string_view("(,)]}:=").find(c) == std::string_view::npos && !(blank == 0 && (c == '[' || c == '{')))
      return 0;
    if (c == ')' || c == ']' || c == '}') return blank + 1;
    return std::min(rest.find_first_not_of(kOverrideBlank, blank + 1), rest.size());
  }

  // Up to the first same quote that has an even number of backslashes in front of it.
  size_t quoted_length(std::string_view rest) const {
    size_t backslashes = 0;
    for (size_t i = 1; i < rest.size(); ++i) {
      if (rest[i] == rest[0] && backslashes % 2 == 0) return i + 1;
      backslashes = rest[i] == '\\' ? backslashes + 1 : 0;
    }
    throw UserError(where_, "", "the quote {} is not closed", rest[0]);
  }

  static size_t escape_length(std::string_view rest) {
    size_t length = 0;
    while (length + 1 < rest.size() && rest[length] == '\\' &&
           kOverrideEscapable.find(rest[length + 1]) != std::string_view::npos) {
      length += 2;
    }
    return length;
  }

  static size_t name_length(std::string_view rest) {
    const auto part_of_name = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-'); };
    if (!part_of_name(rest[0]) || std::isdigit(static_cast<unsigned char>(rest[0])) || rest[0] == '-') return 0;
    return std::find_if_not(rest.begin(), rest.end(), part_of_name) - rest.begin();
  }

  std::string_view take(size_t length) {
    at_ += length;
    return text_.substr(at_ - length, length);
  }

  std::string_view text_;
  const std::string& where_;
  size_t at_ = 0;
};

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 1; i < text.size(); i += 2) out += text[i];
  return out;
}

// Backslashes count only in front of a quote of the same kind, the closing one included.
std::string unquoted(std::string_view token) {
  const char quote = token[0];
  const std::string_view inner = token.substr(1, token.size() - 2);
  std::string out;
  for (size_t i = 0; i < inner.size();) {
    const size_t run = std::min(inner.find_first_not_of('\\', i), inner.size()) - i;
    const size_t after = i + run;
    const bool escapes = after == inner.size() || inner[after] == quote;
    out.append(escapes ? run / 2 : run, '\\');
    if (after < inner.size()) out += inner[after];
    i = after + 1;
  }
  return out;
}

}  // namespace

std::string OverrideToken::spelled() const {
  if (kind == Kind::kQuoted) return unquoted(text);
  return kind == Kind::kEscape ? unescaped(text) : std::string(text);
}

std::vector<OverrideToken> override_tokens(std::string_view text, const std::string& where) {
  return Lexer(text, where).tokens();
}

}  // namespace freeatm::config
