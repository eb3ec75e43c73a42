// SPDX-License-Identifier: Apache-2.0
// Is a file fit to be parsed as YAML at all? Checked on its bytes, before the parser spends memory on it.
#pragma once
#include <cstddef>
#include <cstdint>
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

/// Whether a value that begins here says null itself, instead of being absent.
bool is_null_written(std::string_view text);

/// What stands behind a key that `source` begins with, without the blanks in front.
///   name: the key, which a plain one is written as
std::string_view behind_key(std::string_view source, std::string_view name);

/// Whether a scalar that is no block begins here, or a block with nothing but a comment on its first line.
bool is_block_header(std::string_view source);

/// A scalar that `source` begins with, as yaml-cpp read it, with all line breaks that a folded block keeps at its end
/// (">+"), of which yaml-cpp loses one; any other as it is.
///   least: how far in the block's lines must be
std::string with_kept_breaks(std::string_view source, const std::string& scalar, int64_t least);

}  // namespace freeatm::config
