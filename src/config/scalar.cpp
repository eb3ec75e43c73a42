// SPDX-License-Identifier: Apache-2.0
#include "scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "freeatm/core/utf8.h"

namespace freeatm::config {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsAndBars = "0123456789_";

// Walks over a scalar; each `skip` says whether there was something to skip.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}
  bool skip(std::string_view characters) {
    const size_t before = at_;
    while (at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos) ++at_;
    return at_ > before;
  }
  bool skip_one(std::string_view characters) {
    const bool there = at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos;
    at_ += there;
    return there;
  }
  // Digits in which each underscore stands between two of them.
  bool skip_grouped_digits() {
    if (!skip(kDigits)) return false;
    while (at_ + 1 < text_.size() && text_[at_] == '_' && kDigits.find(text_[at_ + 1]) != std::string_view::npos) {
      ++at_;
      skip(kDigits);
    }
    return true;
  }
  // Sexagesimal parts, each ":" and a number below 60.
  bool skip_sixtieths() {
    bool any = false;
    while (at_ + 1 < text_.size() && text_[at_] == ':' && kDigits.find(text_[at_ + 1]) != std::string_view::npos) {
      ++at_;
      const bool tens = text_[at_] <= '5';
      ++at_;
      if (tens) skip_one(kDigits);
      any = true;
    }
    return any;
  }
  bool done() const { return at_ == text_.size(); }
  char next() const { return done() ? '\0' : text_[at_]; }
  size_t at() const { return at_; }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool starts_with_nonzero_digit(const Scan& scan) { return scan.next() >= '1' && scan.next() <= '9'; }

bool is_yaml_int(std::string_view text) {
  Scan scan(text);
  scan.skip_one("+-");
  if (scan.skip_one("0")) {
    if (scan.done()) return true;
    if (scan.skip_one("b")) return scan.skip("01_") && scan.done();
    if (scan.skip_one("x")) return scan.skip("0123456789abcdefABCDEF_") && scan.done();
    return scan.skip("01234567_") && scan.done();
  }
  if (!starts_with_nonzero_digit(scan)) return false;
  scan.skip(kDigitsAndBars);
  scan.skip_sixtieths();
  return scan.done();
}

// PyYAML's floats, which want a point and a signed exponent, and the ones that OmegaConf adds, which want neither.
bool is_yaml_float(std::string_view text) {
  Scan scan(text);
  const bool sign = scan.skip_one("+-");
  std::string_view rest = text.substr(scan.at());
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") return true;
  if (!sign && (rest == ".nan" || rest == ".NaN" || rest == ".NAN")) return true;
  if (scan.skip_one(".")) {
    if (sign || !scan.skip_one(kDigits)) return false;
    scan.skip(kDigitsAndBars);
    return scan.done() || (scan.skip_one("eE") && scan.skip_one("+-") && scan.skip(kDigits) && scan.done());
  }
  if (!scan.skip_grouped_digits()) return false;
  const bool grouped = !scan.skip("_0123456789");
  if (scan.skip_sixtieths()) return scan.skip_one(".") && (scan.skip(kDigitsAndBars), scan.done());
  const bool point = scan.skip_one(".");
  if (point) scan.skip(kDigitsAndBars);
  if (point && scan.done()) return true;
  if (!scan.skip_one("eE")) return false;
  const bool signed_exponent = scan.skip_one("+-");
  return (grouped || (point && signed_exponent)) && scan.skip(kDigits) && scan.done();
}

std::string without_bars(std::string_view text) {
  std::string out(text);
  out.erase(std::remove(out.begin(), out.end(), '_'), out.end());
  return out;
}

// Digits and a minus sign; throws where from_chars does not take all of them.
int64_t parse_int(const std::string& text, int base) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error == std::errc::result_out_of_range) throw std::out_of_range("int");
  if (error != std::errc() || end != text.data() + text.size()) throw std::invalid_argument("int");
  return value;
}

double sixtieths(const std::string& text) {
  double value = 0.0;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(':', begin), text.size());
    value = value * 60.0 + std::strtod(text.substr(begin, end - begin).c_str(), nullptr);
    begin = end + 1;
  }
  return value;
}

int64_t to_yaml_int(std::string_view text) {
  std::string digits = without_bars(text);
  std::string sign;
  if (digits[0] == '-') sign = "-";
  if (digits[0] == '-' || digits[0] == '+') digits.erase(0, 1);
  if (digits.find(':') != std::string::npos) {
    const double value = sixtieths(digits);
    if (value > 9e15) throw std::out_of_range("int");  // no longer exact
    return static_cast<int64_t>(sign.empty() ? value : -value);
  }
  if (digits.starts_with("0b")) return parse_int(sign + digits.substr(2), 2);
  if (digits.starts_with("0x")) return parse_int(sign + digits.substr(2), 16);
  if (digits.size() > 1 && digits[0] == '0') return parse_int(sign + digits, 8);
  return parse_int(sign + digits, 10);
}

double to_yaml_float(std::string_view text) {
  std::string digits = without_bars(text);
  double sign = 1.0;
  if (digits[0] == '-') sign = -1.0;
  if (digits[0] == '-' || digits[0] == '+') digits.erase(0, 1);
  if (digits == ".inf" || digits == ".Inf" || digits == ".INF") return sign * std::numeric_limits<double>::infinity();
  if (digits == ".nan" || digits == ".NaN" || digits == ".NAN") return std::numeric_limits<double>::quiet_NaN();
  if (digits.find(':') != std::string::npos) return sign * sixtieths(digits);
  return sign * std::strtod(digits.c_str(), nullptr);
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool skip_unsigned_int(Scan& scan) {
  if (scan.skip_one("0")) return true;
  return starts_with_nonzero_digit(scan) && scan.skip_grouped_digits();
}

}  // namespace

Node::Value yaml_scalar(const std::string& text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (is_one_of(text, {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) return true;
  if (is_one_of(text, {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) return false;
  if (is_yaml_int(text)) return to_yaml_int(text);
  if (is_yaml_float(text)) return to_yaml_float(text);
  return text;
}

size_t number_prefix(std::string_view text) {
  Scan scan(text);
  scan.skip_one("+-");
  const std::string letters = lower_ascii(text.substr(scan.at(), 3));
  if (letters == "inf" || letters == "nan") return scan.at() + 3;
  const bool whole = skip_unsigned_int(scan);
  size_t end = whole ? scan.at() : 0;
  const bool fraction = scan.skip_one(".") && (scan.skip_grouped_digits() || whole);
  if (fraction) end = scan.at();
  if (end == scan.at() && end > 0 && scan.skip_one("eE")) {
    scan.skip_one("+-");
    if (scan.skip_grouped_digits()) end = scan.at();
  }
  return end;
}

std::optional<Node::Value> override_word(std::string_view word) {
  const std::string small = lower_ascii(word);
  if (small == "null") return nullptr;
  if (small == "true") return true;
  if (small == "false") return false;
  if (word.empty() || number_prefix(word) != word.size()) return std::nullopt;
  std::string digits = without_bars(small);
  if (digits[0] == '+') digits.erase(0, 1);
  if (digits.ends_with("nan")) return std::numeric_limits<double>::quiet_NaN();
  if (digits.find_first_of(".enf") != std::string::npos) return std::strtod(digits.c_str(), nullptr);
  return parse_int(digits, 10);
}

std::string python_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  // Python writes the shortest digits, with an exponent below 1e-4 and from 1e16 on.
  const double size = std::abs(value);
  const bool exponent = size != 0.0 && (size < 1e-4 || size >= 1e16);
  const auto form = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string out(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, form).ptr);
  return exponent || out.find('.') != std::string::npos ? out : out + ".0";
}

}  // namespace freeatm::config
