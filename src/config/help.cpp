// SPDX-License-Identifier: Apache-2.0
// --help: `key = value`, what is allowed, what it means; aligned over all groups, wrapped at 100 columns. In front of
// them the groups with their options.
#include <algorithm>
#include <iterator>
#include <sstream>

#include "freeatm/config/completion.h"
#include "freeatm/core/files.h"

#include "hydra/config_files.h"
#include "hydra/defaults.h"
#include "walk.h"
#include "yaml_text.h"

namespace freeatm::config {
namespace {

constexpr size_t kColumns = 100;

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

// The first comment of a config behind its header; of one that shows a command, "freeatm ...   meaning", the meaning.
std::string first_comment(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && line.starts_with("# ");) {
    if (line.starts_with("# @package")) continue;
    if (!line.starts_with("# freeatm ")) return line.substr(2);
    const size_t wide = line.rfind("   ");
    return wide == std::string::npos ? "" : line.substr(wide + 3);
  }
  return "";
}

// "  model: a | b", or a line each when they say what they are.
std::string group_text(const std::string& group, const std::vector<std::string>& options,
                       const std::vector<std::string>& comments) {
  std::string names, lines;
  size_t widest = 0;
  for (const std::string& option : options) widest = std::max(widest, option.size());
  for (size_t i = 0; i < options.size(); ++i) {
    names += (i ? " | " : "") + options[i];
    std::string line = "    " + padded(options[i], widest + 2);
    const std::string blank(line.size(), ' ');
    for (const std::string& part : wrapped(comments[i], kColumns - line.size())) {
      lines += line + part + "\n";
      line = blank;
    }
  }
  const bool silent = std::all_of(comments.begin(), comments.end(), [](const auto& text) { return text.empty(); });
  return "  " + group + ":" + (silent ? " " + names + "\n" : "\n" + lines);
}

std::string left_side(const FieldRow& row) { return "  " + row.key + " = " + row.value; }

// The command's own keys first, then each group's, in the order in which the groups appear.
std::vector<FieldRow> by_group(const std::vector<FieldRow>& rows) {
  std::vector<std::string> groups = {""};
  for (const FieldRow& row : rows) {
    if (std::find(groups.begin(), groups.end(), row.group) == groups.end()) groups.push_back(row.group);
  }
  std::vector<FieldRow> out;
  for (const std::string& group : groups) {
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(out),
                 [&](const auto& row) { return row.group == group; });
  }
  return out;
}

}  // namespace

std::string help_text(const std::vector<FieldRow>& all) {
  const std::vector<FieldRow> rows = by_group(all);
  // Longer entries than these get a line of their own, so that one of them does not push all meanings to the right.
  constexpr size_t kWidestLeft = 34, kWidestAllowed = 20;
  size_t left = 0, allowed = 0;
  for (const FieldRow& row : rows) {
    if (left_side(row).size() <= kWidestLeft) left = std::max(left, left_side(row).size());
    if (row.allowed.size() <= kWidestAllowed) allowed = std::max(allowed, row.allowed.size());
  }
  const size_t meaning = left + 2 + (allowed ? allowed + 2 : 0);

  std::string out, group;
  for (const FieldRow& row : rows) {
    if (row.group != group || &row == &rows.front()) {
      group = row.group;
      out += (out.empty() ? "" : "\n") + (group.empty() ? "" : group.substr(0, group.size() - 1) + "\n");
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

std::string groups_text(const ComposeOptions& options) {
  ConfigFiles files(options.config_dir);
  const ConfigFile* primary = files.find(options.config_name);
  std::string out;
  for (const Default& entry : primary ? primary->defaults : std::vector<Default>()) {
    const std::vector<std::string> names = files.options(entry.group);
    if (entry.kind != Default::Kind::kGroup || names.empty()) continue;
    std::vector<std::string> comments;
    for (const std::string& name : names) {
      const fs::path file = fs::path(options.config_dir) / entry.group / (name + ".yaml");
      comments.push_back(fs::is_regular_file(file) ? first_comment(read_config_file(file.string())) : "");
    }
    out += group_text(entry.group, names, comments);
  }
  return out.empty() ? "" : "groups (group=option)\n" + out + "\n";
}

}  // namespace freeatm::config
