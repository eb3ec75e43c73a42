// SPDX-License-Identifier: Apache-2.0
// The values of Hydra's override grammar. A word alone is typed (3, 1e-3, true, null); several in a row are the text
// that they spell.
#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "freeatm/core/error.h"
#include "freeatm/core/utf8.h"

#include "override.h"
#include "scalar.h"
#include "tree_limits.h"
#include "yaml_text.h"

namespace freeatm::config {
namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kPlainCharacters = "/-\\+.$%*@?|";
constexpr std::string_view kEscapable = "\\()[]{}:=, \t";

struct Token {
  enum class Kind { kWord, kQuoted, kInterpolation, kCharacter, kEscape, kBlank, kMark, kEnd };
  Kind kind;
  std::string_view text;  // as it was typed
  char mark = '\0';       // one of ( ) [ ] { } , : =
};

class Lexer {
 public:
  Lexer(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  std::vector<Token> tokens() {
    std::vector<Token> out;
    while (at_ < text_.size()) out.push_back(next());
    out.push_back({Token::Kind::kEnd, {}});
    return out;
  }

 private:
  using Kind = Token::Kind;

  Token next() {
    const std::string_view rest = text_.substr(at_);
    const size_t blank = std::min(rest.find_first_not_of(kBlank), rest.size());
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
    return std::min(rest.find_first_not_of(kBlank, blank + 1), rest.size());
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
           kEscapable.find(rest[length + 1]) != std::string_view::npos) {
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

class ValueParser {
 public:
  ValueParser(std::string_view text, const std::string& where) : where_(where), tokens_(Lexer(text, where).tokens()) {}

  Node parse() {
    Node value = element(0);
    if (is_mark(',')) refuse_sweep();
    if (token().kind != Token::Kind::kEnd) refuse_token();
    return value;
  }

 private:
  using Kind = Token::Kind;

  const Token& token() const { return tokens_[at_]; }
  bool is_mark(char mark) const { return token().kind == Kind::kMark && token().mark == mark; }
  bool skip_mark(char mark) {
    const bool there = is_mark(mark);
    at_ += there;
    return there;
  }
  [[noreturn]] void refuse_token() const {
    if (token().kind == Kind::kEnd) throw UserError(where_, "", "the value is not complete");
    throw UserError(where_, "", "{} is not expected here; quote the value, \"key='...'\"", token().text);
  }
  [[noreturn]] void refuse_sweep() const {
    throw UserError(where_, "", "a sweep over several values is not supported; a list is [a,b], a text is \"'a,b'\"");
  }
  [[noreturn]] void refuse_function() const {
    throw UserError(where_, "", "the function {}() is not supported; quote a value that has brackets", token().text);
  }

  Node element(size_t depth) {
    if (depth > kMaxDepth) throw UserError(where_, "", "more than {} levels deep", kMaxDepth);
    if (skip_mark('[')) return list(depth);
    if (skip_mark('{')) return map(depth);
    if (token().kind == Kind::kQuoted) return Node(unquoted(tokens_[at_++].text), where_);
    return Node(primitive(true), where_);
  }

  Node list(size_t depth) {
    Node::List items;
    if (!skip_mark(']')) {
      do items.push_back(element(depth + 1));
      while (skip_mark(','));
      if (!skip_mark(']')) refuse_token();
    }
    return Node(std::move(items), where_);
  }

  Node map(size_t depth) {
    Node out(Node::Map(), where_);
    if (!skip_mark('}')) {
      do {
        const Node key(primitive(false));
        if (key.is_null()) throw UserError(where_, "", "null is not a key");
        if (!skip_mark(':')) refuse_token();
        out.set(key.text(), element(depth + 1));
      } while (skip_mark(','));
      if (!skip_mark('}')) refuse_token();
    }
    return out;
  }

  // A run of words, characters, escapes and blanks; in a map's key neither ":" nor interpolations.
  Node::Value primitive(bool is_value) {
    std::vector<Token> run;
    for (;; ++at_) {
      const Kind kind = token().kind;
      const bool colon = is_mark(':');
      if (kind == Kind::kEnd || kind == Kind::kQuoted || (kind == Kind::kMark && !colon)) break;
      if (!is_value && (colon || kind == Kind::kInterpolation)) break;
      if (kind == Kind::kWord && tokens_[at_ + 1].kind == Kind::kMark && tokens_[at_ + 1].mark == '(')
        refuse_function();
      run.push_back(token());
    }
    if (run.empty()) refuse_token();
    if (run.front().kind == Kind::kBlank) run.erase(run.begin());
    if (!run.empty() && run.back().kind == Kind::kBlank) run.pop_back();
    if (run.empty()) throw UserError(where_, "", "blanks alone are no value; quote them");
    return spelled(run);
  }

  Node::Value spelled(const std::vector<Token>& run) const {
    if (run.size() == 1 && run[0].kind == Kind::kWord) {
      try {
        if (auto typed = override_word(run[0].text)) return *typed;
      } catch (const std::out_of_range&) {
        throw UserError(where_, "", "{} does not fit into 64 bits", run[0].text);
      }
    }
    std::string text;
    for (const Token& token : run)
      text += token.kind == Kind::kEscape ? unescaped(token.text) : std::string(token.text);
    return text;
  }

  const std::string& where_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace

Node parse_override_value(const std::string& text, const std::string& where) {
  check_yaml_text(text, where);
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string::npos) return Node(std::string(), where);
  return ValueParser(std::string_view(text).substr(begin), where).parse();
}

}  // namespace freeatm::config
