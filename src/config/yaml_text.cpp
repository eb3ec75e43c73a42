// SPDX-License-Identifier: Apache-2.0
#include "yaml_text.h"

#include <algorithm>

#include "freeatm/core/error.h"

namespace freeatm::config {

size_t utf8_character(std::string_view text, char32_t& code_point) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    code_point = first;
    return 1;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  code_point = first & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return code_point >= kSmallest[length] && code_point <= 0x10FFFF ? length : 0;
}

bool is_printable(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7E) || c == 0x85 || (c >= 0xA0 && c <= 0xD7FF) ||
         (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
}

void check_yaml_text(std::string_view text, const std::string& file) {
  if (text.size() > kMaxYamlBytes) {
    throw UserError(file, "", "{} bytes are too many for a config; at most {}", text.size(), kMaxYamlBytes);
  }
  for (size_t at = 0; at < text.size();) {
    char32_t code_point = 0;
    const size_t length = utf8_character(text.substr(at), code_point);
    if (length == 0 || !is_printable(code_point)) {
      const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
      throw UserError(format("{}:{}", file, line), "", "not a text file: byte {} is {}", at,
                      length == 0 ? "not UTF-8" : "a control character");
    }
    at += length;
  }
}

}  // namespace freeatm::config
