// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/captions.h"

#include <sstream>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

namespace freeatm::data {
namespace {

/// Well-formed UTF-8 without control characters: what a line of text may be.
bool is_text(const std::string& line) {
  for (size_t i = 0; i < line.size();) {
    const auto lead = static_cast<unsigned char>(line[i]);
    if (lead < 0x20 && lead != '\t') return false;
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xC2 && lead < 0xE0 ? 2
                          : (lead & 0xF0) == 0xE0       ? 3
                          : lead >= 0xF0 && lead < 0xF5 ? 4
                                                        : 0;
    if (length == 0 || i + length > line.size()) return false;
    for (size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(line[i + j]) & 0xC0) != 0x80) return false;
    }
    i += length;
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
