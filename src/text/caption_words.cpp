// SPDX-License-Identifier: Apache-2.0
#include "caption_words.h"

#include <algorithm>

#include "normalization.h"

namespace freeatm::text {

namespace {

constexpr char32_t kZeroWidthSpace = 0x200B, kHyphen = 0x2010, kNonBreakingHyphen = 0x2011;

}  // namespace

bool is_of_word(char32_t code) { return is_letter(code) || is_number(code) || is_mark(code); }

std::vector<CaptionWord> caption_words(std::string_view text) {
  std::vector<CaptionWord> out;
  const auto characters = lower_case(compose(decode_utf8(text)));
  bool inside = false;
  for (size_t i = 0; i < characters.size(); ++i) {
    const auto& [code, span] = characters[i];
    const bool is_word = is_of_word(code);
    if (is_word && !inside) out.push_back({"", span});
    if (is_word) {
      append_utf8(code, out.back().lower);
      const auto next = i + 1 < characters.size() ? characters[i + 1].span.begin : static_cast<int64_t>(text.size());
      out.back().span.end = std::max(span.end, next);  // with the marks that were composed into it
    }
    inside = is_word;
  }
  return out;
}

bool are_joined(std::string_view caption, const CaptionWord& left, const CaptionWord& right) {
  const std::string_view gap = caption.substr(left.span.end, right.span.begin - left.span.end);
  return std::ranges::all_of(decode_utf8(gap), [](const Character& character) {
    const char32_t code = character.code;
    return is_space(code) || code == '-' || code == kHyphen || code == kNonBreakingHyphen || code == kZeroWidthSpace;
  });
}

}  // namespace freeatm::text
