// SPDX-License-Identifier: Apache-2.0
// As much of Unicode as the tokenizers ask for, without ICU.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/text/phrase.h"

namespace freeatm::text {

struct Character {
  char32_t code;
  Span span;  // its bytes in the text as given
};

/// The text's characters. Each byte that is not part of well-formed UTF-8 becomes U+FFFD.
std::vector<Character> decode_utf8(std::string_view text);

void append_utf8(char32_t code, std::string& out);

/// Character by character, whatever stands beside it: no final sigma.
std::vector<Character> lower_case(const std::vector<Character>& characters);

bool is_letter(char32_t code);           // \p{L}
bool is_number(char32_t code);           // \p{N}
bool is_space(char32_t code);            // White_Space
bool is_punctuation(char32_t code);      // \p{P}
bool is_nonspacing_mark(char32_t code);  // \p{Mn}
bool is_mark(char32_t code);             // \p{M}
bool is_control(char32_t code);          // \p{Cc}, \p{Cf}, \p{Co}: control, format, private use

}  // namespace freeatm::text
