// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/json_scanner.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "freeatm/core/format.h"

namespace freeatm {
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

JsonScanner::JsonScanner(std::string_view text, JsonNumbers numbers, size_t position)
    : text_(text), numbers_(numbers), at_(position) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // editors put one in front
  if (position == 0 && text.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

void JsonScanner::fail(const std::string& what) const { throw JsonFault(format("{} at byte {}", what, at_)); }

void JsonScanner::want(const std::string& wanted) const {
  if (at_ >= text_.size()) throw JsonFault("ends where " + wanted + " is wanted");
  std::string found(text_.substr(at_, 12));
  for (char& c : found) {
    if (c < ' ' || c > '~') c = '?';
  }
  throw JsonFault(format("has '{}' at byte {}, where {} is wanted", found, at_, wanted));
}

void JsonScanner::deeper() {
  constexpr int64_t kDeepest = 100;  // as require_shallow_json's
  if (++depth_ > kDeepest) throw JsonFault(format("is nested more than {} deep", kDeepest));
}

bool JsonScanner::take_word(std::string_view word) {
  if (peek() == '\0' || text_.substr(at_, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

/// A text with its quotes.
std::string_view JsonScanner::skip_text() {
  if (peek() != '"') want("a text");
  const size_t begin = at_++;
  bool is_simple = true;  // ASCII without signs that mean others
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    const auto c = static_cast<unsigned char>(text_[at_]);
    is_simple = is_simple && c >= 0x20 && c < 0x80 && c != '\\';
    if (c == '\\') ++at_;
  }
  if (at_ >= text_.size()) {
    at_ = text_.size();
    want("the end of a text");
  }
  ++at_;
  const std::string_view taken = since(begin);
  if (!is_simple && !nlohmann::json::accept(taken)) fail("a broken text that ends");
  return taken;
}

std::string JsonScanner::take_string() {
  const std::string_view quoted = skip_text(), inner = quoted.substr(1, quoted.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  return nlohmann::json::parse(quoted).get<std::string>();
}

/// Not taken yet.
std::string_view JsonScanner::number_token() {
  peek();
  size_t end = at_;
  while (end < text_.size() && is_of_number(text_[end])) ++end;
  const std::string_view token = text_.substr(at_, end - at_);
  if (!is_json_number(token)) want("a number");
  return token;
}

double JsonScanner::take_number() {
  double number = 0;
  if (take_python_word(number)) return number;
  const std::string_view token = number_token();
  if (std::from_chars(token.data(), token.data() + token.size(), number).ec == std::errc::result_out_of_range) {
    if (numbers_ == JsonNumbers::kJson) want("a number");
    const bool is_tiny = token.find("e-") != std::string_view::npos;
    number = is_tiny ? 0 : std::numeric_limits<double>::infinity();
  }
  at_ += token.size();
  return number;
}

bool JsonScanner::take_python_word(double& value) {
  if (numbers_ == JsonNumbers::kJson) return false;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const auto& [word, number] : {std::pair("NaN", std::numeric_limits<double>::quiet_NaN()),
                                     {"Infinity", kInfinity},
                                     {"-Infinity", -kInfinity}}) {
    if (!take_word(word)) continue;
    value = number;
    return true;
  }
  return false;
}

int64_t JsonScanner::take_whole_number() {
  constexpr double kExact = 0x1p53;  // up to it a double has every integer
  peek();
  const std::string_view token = number_token();
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), whole);
  if (error == std::errc() && end == token.data() + token.size()) {
    at_ += token.size();
    return whole;
  }
  const size_t begin = at_;
  const double number = take_number();
  if (std::abs(number) < kExact && number == std::floor(number)) return static_cast<int64_t>(number);
  go_to(begin);
  want("a whole number");
}

bool JsonScanner::take_bool() {
  if (take_word("true")) return true;
  if (!take_word("false")) want("true or false");
  return false;
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
  at_ += number_token().size();
}

int64_t JsonScanner::skip_numbers() {
  int64_t count = 0;
  for_each_element([&] {
    peek();
    skip_number();
    ++count;
  });
  return count;
}

std::string_view JsonScanner::skip() {
  const char c = peek();
  const size_t begin = at_;
  double number = 0;
  if (c == '"') {
    skip_text();
  } else if (c == '[') {
    for_each_element([&] { skip(); });
  } else if (c == '{') {
    take_all('{', '}', "an object", [&] {
      skip_text();
      take(':');
      skip();
    });
  } else if (!take_word("null") && !take_word("true") && !take_word("false") && !take_python_word(number)) {
    is_of_number(c) ? skip_number() : want("a value");
  }
  return since(begin);
}

void JsonScanner::take_end() {
  if (peek() != '\0' || at_ < text_.size()) want("the end");
}

}  // namespace freeatm
