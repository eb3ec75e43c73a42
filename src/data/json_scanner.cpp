// SPDX-License-Identifier: Apache-2.0
#include "json_scanner.h"

#include <charconv>
#include <cstring>

#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"

namespace freeatm::data {
namespace {

constexpr bool is_of_number(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/// As JSON writes them: neither "007" nor "1." nor ".5".
bool is_json_number(std::string_view token) {
  if (token.starts_with('-')) token.remove_prefix(1);
  const auto digits = [&] {
    size_t count = 0;
    while (count < token.size() && token[count] >= '0' && token[count] <= '9') ++count;
    const bool starts_with_zero = token.starts_with('0');
    token.remove_prefix(count);
    return std::pair(count, starts_with_zero);
  };
  const auto [whole, starts_with_zero] = digits();
  if (whole == 0 || (starts_with_zero && whole > 1)) return false;
  if (token.starts_with('.')) {
    token.remove_prefix(1);
    if (digits().first == 0) return false;
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    token.remove_prefix(1);
    if (token.starts_with('-') || token.starts_with('+')) token.remove_prefix(1);
    if (digits().first == 0) return false;
  }
  return token.empty();
}

}  // namespace

void JsonScanner::fail(const std::string& what) const {
  throw UserError(where_, "data.root", "{}: {} at byte {}", trouble_, what, at_);
}

void JsonScanner::deeper() {
  constexpr int64_t kDeepest = 100;  // as require_shallow_json's
  if (++depth_ > kDeepest) throw UserError(where_, "data.root", "is JSON that is nested more than {} deep", kDeepest);
}

/// Up to the next blank, comma or bracket.
std::string_view JsonScanner::plain_token() {
  peek();
  const size_t begin = at_;
  while (at_ < text_.size() && (is_of_number(text_[at_]) || (text_[at_] >= 'a' && text_[at_] <= 'z'))) ++at_;
  return since(begin);
}

/// A text with its quotes.
std::string_view JsonScanner::skip_text() {
  peek();
  const size_t begin = at_;
  take('"');
  bool is_simple = true;  // ASCII without signs that mean others
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    const auto c = static_cast<unsigned char>(text_[at_]);
    is_simple = is_simple && c >= 0x20 && c < 0x80 && c != '\\';
    if (c == '\\') ++at_;
  }
  if (at_ >= text_.size()) {
    at_ = text_.size();
    fail("a text has no end");
  }
  ++at_;
  const std::string_view taken = since(begin);
  if (!is_simple && !nlohmann::json::accept(taken)) fail("a text is broken");
  return taken;
}

std::string JsonScanner::take_string() {
  if (peek() != '"') fail("a text is wanted");
  const std::string_view quoted = skip_text(), inner = quoted.substr(1, quoted.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  return nlohmann::json::parse(quoted).get<std::string>();
}

double JsonScanner::take_number() {
  const std::string_view token = plain_token();
  double number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error != std::errc() || end != token.data() + token.size() || !is_json_number(token)) fail("a number is wanted");
  return number;
}

int64_t JsonScanner::take_whole_number() {
  peek();
  const size_t begin = at_;
  const std::string_view token = plain_token();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error == std::errc() && end == token.data() + token.size() && is_json_number(token)) return number;
  go_to(begin);
  try {
    return whole_number(nlohmann::json::parse(skip()));
  } catch (const nlohmann::json::exception& wrong) {
    fail(wrong.what());
  }
}

/// In one pass as most are written, [-]digits[.digits]: they are most of COCO's files.
void JsonScanner::skip_number() {
  const char *const end = text_.data() + text_.size(), *at = text_.data() + at_;
  const auto is_digit = [&] { return at < end && *at >= '0' && *at <= '9'; };
  const auto digits = [&] {
    const char* const begin = at;
    while (is_digit()) ++at;
    return at - begin;
  };
  if (at < end && *at == '-') ++at;
  const bool starts_with_zero = at < end && *at == '0';
  const auto whole = digits();
  bool is_plain = whole == 1 || (whole > 1 && !starts_with_zero);
  if (at < end && *at == '.') {
    ++at;
    is_plain = digits() > 0 && is_plain;
  }
  if (is_plain && (at == end || !is_of_number(*at))) {
    at_ = static_cast<size_t>(at - text_.data());
    return;
  }
  const size_t begin = at_;
  while (at_ < text_.size() && is_of_number(text_[at_])) ++at_;
  if (!is_json_number(since(begin))) fail("a number is wanted");
}

int64_t JsonScanner::skip_numbers() {
  take('[');
  deeper();
  int64_t count = 0;
  if (!take_if(']')) {
    do {
      peek();
      skip_number();
      ++count;
    } while (take_if(','));
    take(']');
  }
  --depth_;
  return count;
}

/// Its end is where its brackets are closed; whether what is between them is JSON is then asked.
void JsonScanner::skip_container() {
  const size_t begin = at_;
  const int64_t depth = depth_;
  do {
    const char c = text_[at_];
    if (c == '"') {
      skip_text();
      continue;
    }
    if (c == '[' || c == '{') deeper();
    if (c == ']' || c == '}') --depth_;
    ++at_;
  } while (depth_ > depth && at_ < text_.size());
  if (depth_ > depth) fail("a bracket is not closed");
  if (!nlohmann::json::accept(since(begin))) fail("what ends here is broken");
}

std::string_view JsonScanner::skip() {
  const char c = peek();
  const size_t begin = at_;
  if (c == '"') return skip_text();
  if (c == '[' || c == '{') {
    skip_container();
    return since(begin);
  }
  const std::string_view token = plain_token();
  if (token != "null" && token != "true" && token != "false" && !is_json_number(token)) fail("a value is wanted");
  return token;
}

}  // namespace freeatm::data
