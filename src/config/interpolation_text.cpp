// SPDX-License-Identifier: Apache-2.0
#include "interpolation_text.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "freeatm/core/error.h"

#include "scalar.h"
#include "tree_limits.h"

namespace freeatm::config {
namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kEndsKey = "\\${}()[]:. \t'\"";  // characters that no key of a path has
constexpr std::string_view kEndsArgument = ",}'\"{}[]()=#!&;<>^`~\n";
constexpr std::string_view kEscapable = "\\()[]{}:=, \t";

class TextParser {
 public:
  TextParser(std::string_view text, const std::string& where, const std::string& key)
      : text_(text), where_(where), key_(key) {}

  InterpolatedText parse() {
    InterpolatedText out;
    while (at_ < text_.size()) text_part(out, '\0');
    return out;
  }

 private:
  [[noreturn]] void refuse(std::string_view message) const {
    throw UserError(where_, key_, "{} in the interpolation '{}'", message, text_);
  }
  bool ahead(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool skip(std::string_view what) {
    const bool there = ahead(what);
    if (there) at_ += what.size();
    return there;
  }
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size()); }

  static void literal(InterpolatedText& out, std::string_view text) {
    if (out.parts.empty() || out.parts.back().is_interpolation) out.parts.emplace_back();
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
      out.parts.push_back({true, "", interpolation_at()});
    } else if (interpolation) {
      literal(out, text_.substr(at_, 2));
      at_ += 2;
    } else if (at_ < text_.size() && !(closing && run % 2 == 0)) {
      literal(out, text_.substr(at_++, 1));
    }
  }

  std::shared_ptr<const Interpolation> interpolation_at() {
    if (++depth_ > kMaxDepth) refuse("too many levels");
    auto out = std::make_shared<Interpolation>();
    at_ += 2;
    skip_blanks();
    name(out->name);
    skip_blanks();
    if (skip(":")) {
      out->is_call = true;
      arguments(out->arguments);
    }
    if (!skip("}")) refuse(at_ == text_.size() ? "no closing brace" : "an unexpected character");
    --depth_;
    return out;
  }

  // Dots in front, then keys joined by dots or in brackets.
  void name(InterpolatedText& out) {
    const size_t dots = std::min(text_.find_first_not_of('.', at_), text_.size()) - at_;
    if (dots > 0) literal(out, text_.substr(at_, dots));
    at_ += dots;
    for (bool first = true;; first = false) {
      const bool bracket = ahead("["), dot = ahead(".");
      if (!first && !bracket && !dot) return;
      if (bracket || dot) literal(out, text_.substr(at_++, 1));
      if (first && dot) refuse("no key");
      key(out);
      if (bracket && !skip("]")) refuse("no closing bracket");
      if (bracket) literal(out, "]");
    }
  }

  void key(InterpolatedText& out) {
    if (ahead("${")) {
      out.parts.push_back({true, "", interpolation_at()});
      return;
    }
    const size_t end = std::min(text_.find_first_of(kEndsKey, at_), text_.size());
    if (end == at_) refuse("no key");
    literal(out, text_.substr(at_, end - at_));
    at_ = end;
  }

  void arguments(std::vector<InterpolatedText>& out) {
    skip_blanks();
    if (ahead("}")) return;
    do {
      skip_blanks();
      out.push_back(ahead("'") || ahead("\"") ? quoted_argument() : plain_argument());
      skip_blanks();
    } while (skip(","));
  }

  InterpolatedText quoted_argument() {
    const char quote = text_[at_++];
    InterpolatedText out;
    out.quoted = true;
    while (at_ < text_.size() && text_[at_] != quote) text_part(out, quote);
    if (at_ == text_.size()) refuse("a quote that is not closed");
    ++at_;
    return out;
  }

  InterpolatedText plain_argument() {
    InterpolatedText out;
    size_t kept = 0;  // of the literal text at the end, what trailing blanks are not part of
    while (at_ < text_.size()) {
      if (ahead("${")) {
        out.parts.push_back({true, "", interpolation_at()});
        kept = 0;
      } else if (at_ + 1 < text_.size() && text_[at_] == '\\' &&
                 kEscapable.find(text_[at_ + 1]) != std::string_view::npos) {
        literal(out, text_.substr(at_ + 1, 1));
        at_ += 2;
        kept = out.parts.back().literal.size();
      } else if (kEndsArgument.find(text_[at_]) != std::string_view::npos) {
        break;
      } else {
        literal(out, text_.substr(at_, 1));
        if (kBlank.find(text_[at_++]) == std::string_view::npos) kept = out.parts.back().literal.size();
      }
    }
    if (!out.parts.empty() && !out.parts.back().is_interpolation) out.parts.back().literal.resize(kept);
    if (!out.parts.empty() && !out.parts.back().is_interpolation && kept == 0) out.parts.pop_back();
    return out;
  }

  std::string_view text_;
  const std::string &where_, &key_;
  size_t at_ = 0, depth_ = 0;
};

std::string python_text(const Node& node) {
  const auto* text = std::get_if<std::string>(&node.value());
  if (!text) return python_str(node);
  const char quote = text->find('\'') != std::string::npos && text->find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : *text) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  return out + quote;
}

}  // namespace

InterpolatedText parse_interpolated(const std::string& text, const std::string& where, const std::string& key) {
  return TextParser(text, where, key).parse();
}

Node typed_word(const std::string& word) {
  try {
    if (auto typed = override_word(word)) return Node(*typed);
  } catch (const std::out_of_range&) {  // a number of more digits than we hold stays the text that it will become
  }
  return Node(word);
}

std::string python_str(const Node& node) {
  if (node.is_null()) return "None";
  if (const auto* flag = std::get_if<bool>(&node.value())) return *flag ? "True" : "False";
  if (node.is_scalar()) return node.text();
  std::string out;
  if (node.is_list()) {
    for (const Node& item : node.list()) out += (out.empty() ? "" : ", ") + python_text(item);
    return "[" + out + "]";
  }
  for (const auto& [key, item] : node.map()) {
    out += (out.empty() ? "" : ", ") + python_text(Node(key)) + ": " + python_text(item);
  }
  return "{" + out + "}";
}

}  // namespace freeatm::config
