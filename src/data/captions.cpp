// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/captions.h"

#include <sstream>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/utf8.h"

namespace freeatm::data {
namespace {

/// Well-formed UTF-8 without control characters: what a line of text may be.
bool is_text(std::string_view line) {
  while (!line.empty()) {
    char32_t code = 0;
    const size_t length = utf8_character(line, code);
    if (length == 0 || (code < 0x20 && code != '\t')) return false;
    line.remove_prefix(length);
  }
  return true;
}

}  // namespace

std::vector<std::string> read_captions(const std::string& path) {
  std::istringstream in(read_file(path, "captions"));
  std::vector<std::string> captions;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!is_text(line))
      throw UserError(format("{}:{}", path, number), "captions", "is not UTF-8 text: one caption a line is wanted");
    if (line.find_first_not_of(" \t") != std::string::npos) captions.push_back(line);
  }
  if (captions.empty()) throw UserError(path, "captions", "holds no caption: one a line is wanted");
  return captions;
}

}  // namespace freeatm::data
