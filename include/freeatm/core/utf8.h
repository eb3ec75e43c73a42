// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace freeatm {

/// The number of bytes of the UTF-8 character that `text` (not empty) begins with, and its code point; 0 where the
/// bytes are not well-formed (Unicode, table 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF).
size_t utf8_character(std::string_view text, char32_t& code_point);

/// A to Z as small letters, all else as it is.
std::string lower_ascii(std::string_view text);

}  // namespace freeatm
