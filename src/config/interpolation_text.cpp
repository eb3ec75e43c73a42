// SPDX-License-Identifier: Apache-2.0
#include "interpolation_text.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string_view>

#include "freeatm/core/format.h"

#include "hydra/override_lexer.h"
#include "scalar.h"
#include "tree_limits.h"

namespace freeatm::config {
namespace {

constexpr std::string_view kEndsKey = "\\${}()[]:. \t'\"";  // characters that no key of a path has

bool is_name_character(unsigned char c) { return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-'); }
bool is_name(std::string_view text) {
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text[0])) && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

// A word that is a number, a boolean or null; nothing for another, nor for a number of more digits than we hold, which
// stays the text that it would mostly become.
std::optional<Node::Value> typed_word(std::string_view word) {
  try {
    return override_word(word);
  } catch (const std::out_of_range&) {
    return std::nullopt;
  }
}

class TextParser {
 public:
  explicit TextParser(std::string_view text) : text_(text) {}

  InterpolatedText parse_text() {
    InterpolatedText out;
    while (at_ < text_.size()) text_part(out, '\0');
    return out;
  }

  Element parse_element() {
    Element out = element();
    if (at_ < text_.size()) refuse("an unexpected character");
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const {
    throw std::invalid_argument(format("{} at character {}", message, at_ + 1));
  }
  bool ahead(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool skip(std::string_view what) {
    const bool there = ahead(what);
    if (there) at_ += what.size();
    return there;
  }
  size_t blanks_end() const { return std::min(text_.find_first_not_of(kOverrideBlank, at_), text_.size()); }
  void skip_blanks() { at_ = blanks_end(); }
  // The next character behind blanks; 0 at the end.
  char behind_blanks() const { return blanks_end() < text_.size() ? text_[blanks_end()] : '\0'; }
  std::string_view take(size_t length) {
    at_ += length;
    return text_.substr(at_ - length, length);
  }
  void enter() {
    if (++depth_ > kMaxDepth) refuse("too many levels");
  }

  static void literal(InterpolatedText& out, std::string_view text) {
    if (out.parts.empty() || out.parts.back().interpolation) out.parts.emplace_back();
    out.parts.back().literal += text;
  }

  // Literal text or one interpolation. Backslashes count only in front of "${" (and, within quotes, of the quote).
  void text_part(InterpolatedText& out, char quote) {
    const size_t run = std::min(text_.find_first_not_of('\\', at_), text_.size()) - at_;
    const std::string_view after = text_.substr(at_ + run);
    const bool interpolation = after.starts_with("${"), closing = quote && after.starts_with(quote);
    const size_t kept = interpolation || closing ? run / 2 : run;
    if (kept > 0) literal(out, text_.substr(at_, kept));
    at_ += run;
    if (interpolation && run % 2 == 0) {
      out.parts.push_back({"", interpolation_at()});
    } else if (interpolation) {
      literal(out, take(2));
    } else if (at_ < text_.size() && !(closing && run % 2 == 0)) {
      literal(out, take(1));
    }
  }

  std::shared_ptr<const Interpolation> interpolation_at() {
    enter();
    auto out = std::make_shared<Interpolation>();
    at_ += 2;
    skip_blanks();
    const size_t begin = at_;
    name(out->name);
    const bool names_resolver = is_resolver_name(out->name, begin);
    skip_blanks();
    if (names_resolver && skip(":")) {
      out->is_call = true;
      out->arguments = sequence('}');
    } else if (!skip("}")) {
      refuse(at_ == text_.size() ? "no closing brace" : "an unexpected character");
    }
    --depth_;
    return out;
  }

  // Dots in front, then keys joined by dots or in brackets.
  void name(InterpolatedText& out) {
    const size_t dots = std::min(text_.find_first_not_of('.', at_), text_.size()) - at_;
    if (dots > 0) literal(out, take(dots));
    for (bool first = true;; first = false) {
      const bool bracket = ahead("["), dot = ahead(".");
      if (!first && !bracket && !dot) return;
      if (bracket || dot) literal(out, take(1));
      key(out);
      if (bracket && !skip("]")) refuse("no closing bracket");
      if (bracket) literal(out, "]");
    }
  }

  void key(InterpolatedText& out) {
    if (ahead("${")) {
      out.parts.push_back({"", interpolation_at()});
      return;
    }
    const size_t end = std::min(text_.find_first_of(kEndsKey, at_), text_.size());
    if (end == at_) refuse("no key");
    literal(out, take(end - at_));
  }

  // Names and interpolations joined by dots.
  bool is_resolver_name(const InterpolatedText& name, size_t begin) const {
    if (text_[begin] == '.') return false;
    for (const auto& part : name.parts) {
      if (part.interpolation) continue;
      std::string_view rest = part.literal;
      while (!rest.empty()) {
        const size_t dot = std::min(rest.find('.'), rest.size());
        if (dot > 0 && !is_name(rest.substr(0, dot))) return false;
        rest.remove_prefix(std::min(dot + 1, rest.size()));
      }
    }
    return true;
  }

  // Elements up to the closing mark; one that is left out is an empty string.
  std::vector<Element> sequence(char close) {
    std::vector<Element> out;
    skip_blanks();
    if (skip({&close, 1})) return out;
    for (;;) {
      skip_blanks();
      const bool absent = ahead(",") || ahead({&close, 1});
      out.push_back(absent ? Element() : element());
      skip_blanks();
      if (skip({&close, 1})) return out;
      if (!skip(",")) refuse(at_ == text_.size() ? format("no closing '{}'", close) : "an unexpected character");
    }
  }

  Element element() {
    enter();
    Element out;
    if (skip("[")) {
      out.kind = Element::Kind::kList;
      out.items = sequence(']');
    } else if (skip("{")) {
      out = map();
    } else if (ahead("'") || ahead("\"")) {
      out.text = quoted();
    } else {
      out = words(true);
    }
    --depth_;
    return out;
  }

  Element map() {
    Element out;
    out.kind = Element::Kind::kMap;
    skip_blanks();
    if (skip("}")) return out;
    do {
      skip_blanks();
      const Element key = words(false);
      if (key.word.is_null() && key.kind == Element::Kind::kWord) refuse("null as a key");
      out.keys.push_back(key.kind == Element::Kind::kWord ? key.word.text() : key.text.parts[0].literal);
      skip_blanks();
      if (!skip(":")) refuse("no ':'");
      skip_blanks();
      out.items.push_back(element());
      skip_blanks();
    } while (skip(","));
    if (!skip("}")) refuse("no closing '}'");
    return out;
  }

  InterpolatedText quoted() {
    const char quote = text_[at_++];
    InterpolatedText out;
    while (at_ < text_.size() && text_[at_] != quote) text_part(out, quote);
    if (at_ == text_.size()) refuse("a quote that is not closed");
    ++at_;
    return out;
  }

  // A word alone is typed; several in a row, with what stands between them, are the text that they spell. In a map's
  // key neither ":" nor interpolations.
  Element words(bool is_value) {
    Element out;
    out.kind = Element::Kind::kText;
    size_t tokens = 0;
    std::string_view word;
    for (; !at_end_of_words(is_value); ++tokens) {
      if (ahead("${")) {
        out.text.parts.push_back({"", interpolation_at()});
      } else if (const size_t escapes = escapes_length()) {
        const std::string_view run = take(escapes);
        for (size_t i = 1; i < run.size(); i += 2) literal(out.text, run.substr(i, 1));
      } else {
        word = take(token_length());
        literal(out.text, word);
      }
    }
    if (tokens == 0) refuse("no value");
    if (tokens == 1 && !word.empty()) {
      if (word.find_first_not_of(kOverrideBlank) == std::string_view::npos) refuse("no value");
      if (auto typed = typed_word(word)) {
        out.kind = Element::Kind::kWord;
        out.word = Node(*typed);
      }
    }
    return out;
  }

  bool at_end_of_words(bool is_value) const {
    if (at_ == text_.size()) return true;
    const char next = text_[at_], mark = behind_blanks();
    if (mark == ',' || mark == '}' || mark == ']') return true;
    if (!is_value && (mark == ':' || ahead("${"))) return true;
    return std::string_view("'\"[{").find(next) != std::string_view::npos;
  }

  size_t escapes_length() const {
    size_t length = 0;
    for (std::string_view rest = text_.substr(at_);
         rest.size() >= 2 && rest[0] == '\\' && kOverrideEscapable.find(rest[1]) != std::string_view::npos;
         rest.remove_prefix(2)) {
      length += 2;
    }
    return length;
  }

  size_t token_length() const {
    const std::string_view rest = text_.substr(at_);
    const size_t blanks = blanks_end() - at_;
    if (behind_blanks() == ':') return std::min(rest.find_first_not_of(kOverrideBlank, blanks + 1), rest.size());
    if (blanks > 0) return blanks;
    size_t name = 0;
    if (is_name(rest.substr(0, 1))) name = std::find_if_not(rest.begin(), rest.end(), is_name_character) - rest.begin();
    if (const size_t length = std::max(number_prefix(rest), name)) return length;
    if (kPlainCharacters.find(rest[0]) == std::string_view::npos)
      refuse(format("'{}' without quotes", rest.substr(0, 1)));
    return 1;
  }

  std::string_view text_;
  size_t at_ = 0, depth_ = 0;
};

// Python's repr of a string.
std::string quoted_python(const std::string& text) {
  static const char kHex[] = "0123456789abcdef";
  const char quote = text.find('\'') != std::string::npos && text.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += {'\\', c == '\n' ? 'n' : c == '\t' ? 't' : 'r'};
    } else if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::string python_repr(const Node& node) {
  const auto* text = std::get_if<std::string>(&node.value());
  return text ? quoted_python(*text) : python_str(node);
}

}  // namespace

InterpolatedText parse_interpolated(std::string_view text) { return TextParser(text).parse_text(); }

Element parse_element(std::string_view text) { return TextParser(text).parse_element(); }

std::string escape_interpolations(const std::string& text) {
  std::string out;
  size_t backslashes = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "${") == 0) out.append(backslashes + 1, '\\');
    backslashes = text[i] == '\\' ? backslashes + 1 : 0;
    out += text[i];
  }
  return out;
}

std::string python_str(const Node& node) {
  if (node.is_null()) return "None";
  if (const auto* flag = std::get_if<bool>(&node.value())) return *flag ? "True" : "False";
  if (node.is_scalar()) return node.text();
  std::string out;
  if (node.is_list()) {
    for (const Node& item : node.list()) out += (out.empty() ? "" : ", ") + python_repr(item);
    return "[" + out + "]";
  }
  for (const auto& [key, item] : node.map()) {
    out += (out.empty() ? "" : ", ") + quoted_python(key) + ": " + python_repr(item);
  }
  return "{" + out + "}";
}

std::string shortened(const std::string& text) {
  if (text.size() <= 80) return text;
  size_t end = 77;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

}  // namespace freeatm::config
