// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/core/utf8.h"

namespace freeatm::data {

/// What keeps a text from being a caption, "" where nothing does: "is not UTF-8 text", or a control character other
/// than those in `allowed`.
inline std::string what_is_not_plain(std::string_view text, std::string_view allowed = "\t") {
  while (!text.empty()) {
    char32_t code = 0;
    const size_t length = utf8_character(text, code);
    if (length == 0) return "is not UTF-8 text";
    if (code < 0x20 && allowed.find(static_cast<char>(code)) == std::string_view::npos)
      return format("holds a control character ({})", static_cast<int>(code));
    text.remove_prefix(length);
  }
  return "";
}

/// Throws UserError(where, key, ...) where the text cannot be a caption.
inline void require_plain_text(std::string_view text, const std::string& where, const std::string& key,
                               std::string_view allowed = "\t") {
  if (const auto wrong = what_is_not_plain(text, allowed); !wrong.empty()) throw UserError(where, key, "{}", wrong);
}

/// Each line break a blank, byte by byte: spans stay where they are.
inline std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

/// Editors put one in front.
inline std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

/// Without a byte order mark, and without blanks at both ends.
inline std::string_view trimmed_text(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text = without_byte_order_mark(text);
  const size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace freeatm::data
