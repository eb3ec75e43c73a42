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

std::string_view behind_key(std::string_view source, std::string_view name) {
  const char quote = source.empty() ? '\0' : source[0];
  size_t end = name.size();
  if (quote == '"' || quote == '\'') {
    end = 1;
    while (end < source.size() && source[end] != quote) end += quote == '"' && source[end] == '\\' ? 2 : 1;
    ++end;
  }
  source.remove_prefix(std::min(end, source.size()));
  source.remove_prefix(std::min(source.find_first_not_of(' '), source.size()));
  return source;
}

bool is_block_header(std::string_view source) {
  if (!source.starts_with('|') && !source.starts_with('>')) return true;
  const std::string_view line = source.substr(1, source.find('\n') - 1);
  const std::string_view rest = line.substr(std::min(line.find_first_not_of("+-0123456789"), line.size()));
  const std::string_view behind = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
  return behind.empty() || behind == "\r" || (behind.starts_with('#') && behind.size() < rest.size());
}

bool is_null_written(std::string_view text) {
  return text.starts_with('~') || lower_ascii(text.substr(0, 4)) == "null";
}

std::string with_kept_breaks(std::string_view source, const std::string& scalar, int64_t least) {
  const std::string_view header = source.substr(0, source.find('\n'));
  const size_t comment = header.find('#');
  if (!header.starts_with('>') || header.substr(0, comment).find('+') == std::string_view::npos) return scalar;
  size_t indent = std::string_view::npos, breaks = 0;
  bool has_content = false;
  for (size_t at = header.size() + 1; at < source.size();) {
    const std::string_view line = source.substr(at, source.find('\n', at) - at);
    const size_t first = line.find_first_not_of(' ');
    const bool is_blank = first == std::string_view::npos || line.substr(first) == "\r";
    if (!is_blank && indent == std::string_view::npos && static_cast<int64_t>(first) >= least) indent = first;
    if (!is_blank && (first < indent || static_cast<int64_t>(first) < least)) break;
    has_content |= !is_blank;
    const bool is_ended = at + line.size() < source.size();
    breaks = (is_blank ? breaks : 0) + (is_ended ? 1 : 0);
    at += line.size() + 1;
  }
  if (!has_content) return std::string(breaks, '\n');
  const size_t end = scalar.find_last_not_of('\n');
  return scalar.substr(0, end == std::string::npos ? 0 : end + 1) + std::string(breaks, '\n');
}

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
