// SPDX-License-Identifier: Apache-2.0
#include "freeatm/config/completion.h"

#include <algorithm>
#include <set>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"

#include "hydra/config_files.h"
#include "merge.h"

namespace freeatm::config {
namespace {

using Words = std::vector<std::string>;

/// What the words in front of the one that is being typed ask for.
struct Line {
  std::string config_dir, config_name;
  Words overrides;
  std::string awaits;  // the flag whose value comes next
};

Line parse_line(const Program& program, const Words& words) {
  Line line{program.config_dir, words[0], {}, ""};
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (!line.awaits.empty()) {
      if (line.awaits == "--config-dir") line.config_dir = word;
      if (line.awaits == "--config-name") line.config_name = word;
      if (line.awaits == "--config") {
        line.config_dir = fs::absolute(word).parent_path().string();
        line.config_name = fs::path(word).stem().string();
      }
      line.awaits.clear();
    } else if (word == "--config-dir" || word == "-cd") {
      line.awaits = "--config-dir";
    } else if (word == "--config-name" || word == "-cn") {
      line.awaits = "--config-name";
    } else if (word == "--config") {
      line.awaits = word;
    } else if (!word.starts_with('-')) {
      line.overrides.push_back(word);
    }
  }
  return line;
}

/// The tree as far as the line goes: an override that is not complete yet, or wrong, is passed over.
Node composed(const Line& line) {
  ComposeOptions options{line.config_dir, line.config_name, {}};
  Node tree = compose(options);
  for (const std::string& override : line.overrides) {
    options.overrides.push_back(override);
    try {
      tree = compose(options);
    } catch (const UserError&) {
      options.overrides.pop_back();
    }
  }
  return tree;
}

class Completion {
 public:
  Completion(const Program& program, const Line& line, const std::string& command, const std::string& word)
      : program_(program), line_(line), command_(command), word_(word), files_(line.config_dir) {}

  Words candidates() {
    const size_t equal = word_.find('=');
    mark_ = word_.substr(0, word_.find_first_not_of("+~"));
    if (equal != std::string::npos) {
      complete_value(word_.substr(mark_.size(), equal - mark_.size()), word_.substr(0, equal + 1));
    } else {
      const std::string typed = word_.substr(mark_.size());
      complete_group(typed);
      if (mark_ != "+") complete_key(typed);
    }
    return {found_.begin(), found_.end()};
  }

 private:
  void offer(const std::string& candidate) {
    if (candidate.starts_with(word_)) found_.insert(candidate);
  }

  // "model=", and of a group that has groups in it "model/".
  void complete_group(const std::string& typed) {
    const size_t slash = typed.rfind('/');
    const std::string outer = slash == std::string::npos ? "" : typed.substr(0, slash + 1);
    const fs::path folder = fs::path(line_.config_dir) / outer;
    if (!fs::is_directory(folder)) return;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string group = outer + entry.path().filename().string();
      if (!entry.is_directory() || files_.options(group).empty() || (mark_ != "+" && !is_chosen(group))) continue;
      offer(mark_ + group + (mark_ == "~" ? "" : "="));
    }
  }

  // Does the primary config's list, or that of a config which it names, choose this group?
  bool is_chosen(const std::string& group) {
    return std::any_of(line_.overrides.begin(), line_.overrides.end(),
                       [&](const std::string& text) { return text.starts_with("+" + group + "="); }) ||
           names_group(line_.config_name, group, 0);
  }

  bool names_group(const std::string& config, const std::string& group, size_t depth) {
    const ConfigFile* file = depth < 10 ? files_.find(config) : nullptr;
    if (!file) return false;
    for (Default entry : file->defaults) {
      if (entry.kind == Default::Kind::kSelf) continue;
      const size_t slash = config.rfind('/');
      entry.place(slash == std::string::npos ? "" : config.substr(0, slash), "");
      if (entry.kind == Default::Kind::kGroup && entry.group_path() == group) return true;
      const bool named = std::holds_alternative<std::string>(entry.option.value());
      if (named && names_group(entry.config_path(), group, depth + 1)) return true;
    }
    return false;
  }

  // One level of the tree at a time: "trainer." and then "trainer.steps=".
  void complete_key(const std::string& typed) {
    const size_t dot = typed.rfind('.');
    const std::string outer = dot == std::string::npos ? "" : typed.substr(0, dot + 1);
    const Node* group = dot == std::string::npos ? &tree() : tree().find_path(typed.substr(0, dot));
    if (!group || !group->is_map()) return;
    for (const auto& [key, value] : group->map()) {
      const bool inner = value.is_map() && !value.map().empty();
      offer(mark_ + outer + key + (inner ? "." : mark_ == "~" ? "" : "="));
    }
  }

  // Options of a group, or the names that a field allows; behind a comma the next value of a sweep.
  void complete_value(const std::string& key, const std::string& front) {
    const size_t comma = word_.rfind(',');
    const std::string before = comma == std::string::npos || comma < front.size() ? front : word_.substr(0, comma + 1);
    Words values = files_.is_group(key) ? files_.options(key) : Words();
    for (const FieldRow& row : values.empty() ? fields() : std::vector<FieldRow>()) {
      if (row.path() == key) values = row.names;
    }
    for (const std::string& value : values) offer(before + value);
  }

  std::vector<FieldRow> fields() {
    try {
      return program_.fields({command_, tree(), false, nullptr});
    } catch (const UserError&) {  // a value on the line is wrong: nothing is known of the others
      return {};
    }
  }

  const Node& tree() {
    if (!tree_) tree_ = composed(line_);
    return *tree_;
  }

  const Program& program_;
  const Line& line_;
  const std::string &command_, &word_;
  ConfigFiles files_;
  std::string mark_;  // "+", "++", "~" or nothing
  std::optional<Node> tree_;
  std::set<std::string> found_;
};

Words beginning_with(const Words& words, const std::string& prefix) {
  Words out;
  std::copy_if(words.begin(), words.end(), std::back_inserter(out),
               [&](const std::string& word) { return word.starts_with(prefix); });
  return out;
}

}  // namespace

Words complete(const Program& program, const Words& words) {
  if (words.empty()) return {};
  const std::string& word = words.back();
  if (words.size() == 1) return beginning_with(program.commands, word);
  if (std::find(program.commands.begin(), program.commands.end(), words[0]) == program.commands.end()) return {};
  const Line line = parse_line(program, words);
  if (line.awaits == "--config-name") return beginning_with(ConfigFiles(line.config_dir).options(""), word);
  if (!line.awaits.empty()) return {};
  if (word.starts_with('-')) return beginning_with(program.flags, word);
  try {
    return Completion(program, line, words[0], word).candidates();
  } catch (const UserError&) {  // the shell's line is no place for messages
    return {};
  }
}

}  // namespace freeatm::config
