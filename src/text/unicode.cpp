// SPDX-License-Identifier: Apache-2.0
#include "unicode.h"

#include <algorithm>
#include <iterator>

#include "freeatm/core/utf8.h"

#include "unicode_tables.h"

namespace freeatm::text {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kCapitalDottedI = 0x130;
constexpr char32_t kDotAbove = 0x307;

// The last range that begins at or before the code, or null.
template <class Range, size_t n>
const Range* range_of(const Range (&ranges)[n], char32_t code) {
  const auto after = std::upper_bound(std::begin(ranges), std::end(ranges), code,
                                      [](char32_t value, const Range& range) { return value < range.first; });
  if (after == std::begin(ranges)) return nullptr;
  const Range* range = std::prev(after);
  return code <= range->last ? range : nullptr;
}

char32_t lower(char32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  const LowerRange* range = range_of(kLower, code);
  return range != nullptr && (code - range->first) % range->step == 0 ? code + range->delta : code;
}

}  // namespace

std::vector<Character> decode_utf8(std::string_view text) {
  std::vector<Character> out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    char32_t code = 0;
    const size_t length = utf8_character(text.substr(i), code);
    if (length == 0) code = kReplacement;
    const size_t end = i + std::max<size_t>(length, 1);
    out.push_back({code, {static_cast<int64_t>(i), static_cast<int64_t>(end)}});
    i = end;
  }
  return out;
}

void append_utf8(char32_t code, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    tail(12), tail(6), tail(0);
  }
}

std::vector<Character> lower_case(const std::vector<Character>& characters) {
  std::vector<Character> out;
  out.reserve(characters.size());
  for (const Character& character : characters) {
    const bool dotted = character.code == kCapitalDottedI;  // the one character whose lower case is two
    out.push_back({dotted ? U'i' : lower(character.code), character.span});
    if (dotted) out.push_back({kDotAbove, character.span});
  }
  return out;
}

bool is_letter(char32_t code) {
  if (code < 0x80) return (code | 32) >= 'a' && (code | 32) <= 'z';
  return range_of(kLetters, code) != nullptr;
}

bool is_number(char32_t code) {
  if (code < 0x80) return code >= '0' && code <= '9';
  return range_of(kNumbers, code) != nullptr;
}

bool is_space(char32_t code) {
  return (code >= 9 && code <= 13) || code == ' ' || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

bool is_punctuation(char32_t code) { return range_of(kPunctuation, code) != nullptr; }
bool is_nonspacing_mark(char32_t code) { return range_of(kNonspacingMarks, code) != nullptr; }
bool is_mark(char32_t code) { return is_nonspacing_mark(code) || range_of(kOtherMarks, code) != nullptr; }
bool is_control(char32_t code) { return range_of(kControls, code) != nullptr; }

}  // namespace freeatm::text
