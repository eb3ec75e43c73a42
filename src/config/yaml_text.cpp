// SPDX-License-Identifier: Apache-2.0
#include "yaml_text.h"

#include <algorithm>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/utf8.h"

namespace freeatm::config {

bool is_printable(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7E) || c == 0x85 || (c >= 0xA0 && c <= 0xD7FF) ||
         (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
}

namespace {

void check_size(size_t bytes, const std::string& file) {
  if (bytes <= kMaxYamlBytes) return;
  throw UserError(file, "", "{} bytes are too many for a config; at most {}", bytes, kMaxYamlBytes);
}

}  // namespace

std::string read_config_file(const std::string& path) {
  require_file(path, "");
  if (!fs::is_regular_file(path)) throw UserError(path, "", "is not a regular file");
  check_size(fs::file_size(path), path);
  return read_file(path);
}

void check_yaml_text(std::string_view text, const std::string& file) {
  check_size(text.size(), file);
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
