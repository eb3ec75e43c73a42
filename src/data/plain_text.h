// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "freeatm/core/utf8.h"

namespace freeatm::data {

/// Well-formed UTF-8 without control characters but for those in `allowed`: what a caption may be.
inline bool is_plain_text(std::string_view text, std::string_view allowed = "\t") {
  while (!text.empty()) {
    char32_t code = 0;
    const size_t length = utf8_character(text, code);
    if (length == 0 || (code < 0x20 && allowed.find(static_cast<char>(code)) == std::string_view::npos)) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace freeatm::data
