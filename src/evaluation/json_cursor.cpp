// SPDX-License-Identifier: Apache-2.0
#include "json_cursor.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "freeatm/core/format.h"

namespace freeatm::evaluation {
namespace {

constexpr int kDeepestJson = 100;

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool is_in_number(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

}  // namespace

JsonCursor::JsonCursor(std::string_view text, size_t place) : text_(text), at_(place) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (place == 0 && text.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

char JsonCursor::peek() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

void JsonCursor::fail(const std::string& wanted) const {
  if (at_ >= text_.size()) throw JsonFault("ends where " + wanted + " is wanted");
  std::string found(text_.substr(at_, 12));
  for (char& c : found) {
    if (c < ' ' || c > '~') c = '?';
  }
  throw JsonFault(format("has '{}' at byte {}, where {} is wanted", found, at_, wanted));
}

char JsonCursor::kind() {
  const char c = peek();
  if (c == '{' || c == '[' || c == '"' || c == 't' || c == 'f' || c == 'n') return c;
  if (is_in_number(c) || c == 'N' || c == 'I') return 0;
  fail("a value");
}

size_t JsonCursor::place() {
  peek();
  return at_;
}

void JsonCursor::enter(char bracket, const char* wanted) {
  if (peek() != bracket) fail(wanted);
  if (++depth_ > kDeepestJson) throw JsonFault(format("is JSON that is nested more than {} deep", kDeepestJson));
  ++at_;
}

bool JsonCursor::is_more(char closing, bool first) {
  const char c = peek();
  if (c == closing) {
    ++at_;
    return false;
  }
  if (first) return true;
  expect(',');
  return true;
}

void JsonCursor::expect(char c) {
  if (peek() != c) fail(std::string("'") + c + "'");
  ++at_;
}

void JsonCursor::word(std::string_view word) {
  if (peek() == '\0' || text_.substr(at_, word.size()) != word) fail(std::string(word));
  at_ += word.size();
}

bool JsonCursor::boolean() {
  const bool value = peek() == 't';
  if (!value && peek() != 'f') fail("true or false");
  word(value ? "true" : "false");
  return value;
}

void JsonCursor::null() { word("null"); }

std::string_view JsonCursor::number_token() {
  peek();
  size_t end = at_;
  while (end < text_.size() && is_in_number(text_[end])) ++end;
  if (end == at_) fail("a number");
  return text_.substr(at_, end - at_);
}

double JsonCursor::number() {
  const char first = peek();
  const bool is_negative = first == '-' && text_.substr(at_, 2) == "-I";
  if (first == 'N') return word("NaN"), std::numeric_limits<double>::quiet_NaN();
  if (first == 'I') return word("Infinity"), std::numeric_limits<double>::infinity();
  if (is_negative) return word("-Infinity"), -std::numeric_limits<double>::infinity();
  const std::string_view token = number_token();
  double value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (end != token.data() + token.size() || error == std::errc::invalid_argument) fail("a number");
  at_ += token.size();
  if (error == std::errc::result_out_of_range)  // too large, or so small that it is 0
    return token.find("e-") == std::string_view::npos ? std::numeric_limits<double>::infinity() : 0;
  return value;
}

int64_t JsonCursor::whole_number() {
  const size_t begin = place();
  const std::string_view token = number_token();
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), whole);
  if (error == std::errc() && end == token.data() + token.size()) {
    at_ += token.size();
    return whole;
  }
  const double value = number();
  at_ = std::abs(value) < 0x1p53 && value == std::floor(value) ? at_ : begin;
  if (at_ == begin) fail("a whole number");
  return static_cast<int64_t>(value);
}

std::string_view JsonCursor::raw_string() {
  if (peek() != '"') fail("a text");
  const size_t begin = ++at_;
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) at_ += text_[at_] == '\\';
  if (at_ >= text_.size()) fail("the end of a text");
  return text_.substr(begin, at_++ - begin);
}

std::string_view JsonCursor::string(std::string& unescaped) {
  const std::string_view raw = raw_string();
  if (raw.find('\\') == std::string_view::npos) return raw;
  unescaped.clear();
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\\' && raw[++i] != '\\' && raw[i] != '"' && raw[i] != '/') {  // a rare one
      const auto value = nlohmann::json::parse('"' + std::string(raw) + '"', nullptr, /*allow_exceptions=*/false);
      if (!value.is_string()) throw JsonFault(format("has a broken text before byte {}", at_));
      unescaped = value.get<std::string>();
      break;
    }
    unescaped += raw[i];
  }
  return unescaped;
}

void JsonCursor::skip() {
  switch (kind()) {
    case '{':
      return object([&](std::string_view) { skip(); });
    case '[':
      return array([&] { skip(); });
    case '"':
      return void(raw_string());
    case 'n':
      return null();
    case 0:
      if (text_[at_] == 'N' || text_[at_] == 'I' || text_.substr(at_, 2) == "-I") return void(number());
      at_ += number_token().size();
      return;
    default:
      boolean();
  }
}

void JsonCursor::end() {
  if (peek() != '\0' || at_ < text_.size()) fail("the end");
}

}  // namespace freeatm::evaluation
