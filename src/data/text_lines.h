// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/core/files.h"

#include "plain_text.h"

namespace freeatm::data {

struct TextLine {
  std::string text, where;  // "captions.txt:3"
};

/// A file's lines that are not blank, without the blanks around them. Throws UserError(where, key, ...) for one that
/// cannot hold a caption, or what else there is one of in a line.
inline std::vector<TextLine> read_lines(const fs::path& path, const std::string& key, const char* what = "caption") {
  std::istringstream in(read_file(path, key));
  std::vector<TextLine> lines;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    const std::string_view text = trimmed_text(line);
    const std::string where = format("{}:{}", path.string(), number);
    if (const auto wrong = what_is_not_plain(text); !wrong.empty())
      throw UserError(where, key, "{}: one {} a line is wanted", wrong, what);
    if (!text.empty()) lines.push_back({std::string(text), where});
  }
  return lines;
}

}  // namespace freeatm::data
