// SPDX-License-Identifier: Apache-2.0
// Is a file fit to be parsed as YAML at all? Checked on its bytes, before the parser spends memory on it.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace freeatm::config {

inline constexpr size_t kMaxYamlBytes = 1 << 20;

/// Throws UserError(file:line) unless `text` is at most kMaxYamlBytes of UTF-8 with the characters that YAML allows.
void check_yaml_text(std::string_view text, const std::string& file);

/// A config file's text. Throws UserError for what is not a regular file of at most kMaxYamlBytes, before reading it.
std::string read_config_file(const std::string& path);

/// What YAML calls printable: no control characters but tab and line ends, no surrogates.
bool is_printable(char32_t code_point);

}  // namespace freeatm::config
