// SPDX-License-Identifier: Apache-2.0
// --help: `key = value`, what is allowed, what it means; aligned over all groups, wrapped at 120 columns.
#include <algorithm>

#include "freeatm/core/format.h"

#include "walk.h"

namespace freeatm::config {
namespace {

constexpr size_t kColumns = 120;

// The text in lines of at most `width` columns, broken at spaces where there are any.
std::vector<std::string> wrapped(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size() || lines.empty();) {
    size_t end = text.size();
    if (end - begin > width) {
      end = text.rfind(' ', begin + width);
      if (end == std::string::npos || end <= begin) end = begin + width;
    }
    lines.push_back(text.substr(begin, end - begin));
    begin = end + (end < text.size() && text[end] == ' ');
  }
  return lines;
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string left_side(const HelpRow& row) { return "  " + row.key + " = " + row.value; }

}  // namespace

std::string help_text(const std::string& command, const std::vector<HelpRow>& rows) {
  // Longer entries than these get a line of their own, so that one of them does not push all meanings to the right.
  constexpr size_t kWidestLeft = 40, kWidestAllowed = 24;
  size_t left = 0, allowed = 0;
  for (const HelpRow& row : rows) {
    if (left_side(row).size() <= kWidestLeft) left = std::max(left, left_side(row).size());
    if (row.allowed.size() <= kWidestAllowed) allowed = std::max(allowed, row.allowed.size());
  }
  const size_t meaning = left + 2 + (allowed ? allowed + 2 : 0);

  std::string out = "freeatm " + command + " [key=value ...]\n";
  std::string group = "";
  for (const HelpRow& row : rows) {
    if (row.group != group || &row == &rows.front()) {
      group = row.group;
      out += "\n" + (group.empty() ? "" : group.substr(0, group.size() - 1) + "\n");
    }
    std::string line = padded(left_side(row), left + 2);
    if (line.size() > left + 2) {
      out += line + "\n";
      line = std::string(left + 2, ' ');
    }
    line = padded(line + row.allowed, meaning);
    if (line.size() > meaning) {
      out += line + "\n";
      line = std::string(meaning, ' ');
    }
    for (const std::string& part : wrapped(row.help, kColumns - meaning)) {
      out += line + part + "\n";
      line = std::string(meaning, ' ');
    }
  }
  return out;
}

}  // namespace freeatm::config
