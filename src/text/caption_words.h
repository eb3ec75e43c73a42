// SPDX-License-Identifier: Apache-2.0
// What phrases take for a word: not what the tokenizer does.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/text/phrase.h"

namespace freeatm::text {

/// Letters, digits and the marks on them.
bool is_of_word(char32_t code);

struct CaptionWord {
  std::string lower;  // composed and in lower case
  Span span;
};

/// Maximal runs of letters, digits and the marks on them, by Unicode's categories.
std::vector<CaptionWord> caption_words(std::string_view text);

/// A name's words stand apart by spaces or a hyphen of any kind: "fire truck", "fire-truck", not "fire, truck".
bool are_joined(std::string_view caption, const CaptionWord& left, const CaptionWord& right);

}  // namespace freeatm::text
