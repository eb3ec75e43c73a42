// SPDX-License-Identifier: Apache-2.0
#include "walk.h"

#include <algorithm>

#include "freeatm/core/error.h"

#include "nearest_key.h"

namespace freeatm::config {

void WriteWalk::field(std::string_view key, const Target& target, std::string_view, const Allowed& allowed) {
  if (free_keys_ && allowed.is_free) {
    std::string path;
    for (const std::string& name : names_) path += name + ".";
    free_keys_->push_back(path + std::string(key));
  }
  groups_.back().set(key, to_node(target));
}

void WriteWalk::enter(std::string_view key) {
  names_.emplace_back(key);
  groups_.emplace_back(Node::Map());
}

void WriteWalk::leave() {
  Node group = std::move(groups_.back());
  groups_.pop_back();
  groups_.back().set(names_.back(), std::move(group));
  names_.pop_back();
}

UserError WriteWalk::refusal(std::string_view key, const std::string& message) const {
  throw InternalError(format("{} is refused while nothing is read: {}", key, message));
}

ReadWalk::ReadWalk(const Node& tree, std::vector<FieldRow>* rows, std::vector<FieldValue>* values)
    : rows_(rows), values_(values) {
  if (!tree.is_map()) throw UserError(tree.where(), "", "{} is not a group of keys", tree.describe());
  groups_.push_back({"", &tree});
}

void ReadWalk::field(std::string_view key, const Target& target, std::string_view help, const Allowed& allowed) {
  const Group& group = groups_.back();
  known_[group.path].emplace_back(key);
  const Node* node = group.node ? group.node->find(key) : nullptr;
  const std::string path = group.path + std::string(key);
  const bool missing = node && node->is_missing();
  if (missing && !rows_) throw UserError("", path, "required ({})", help);
  const std::string otherwise = values_ ? to_node(target).text() : "";
  if (node && !missing) from_node(*node, path, target, allowed);
  if (values_) values_->push_back({path, to_node(target).text(), otherwise, allowed.is_free});
  if (rows_) {
    const std::string value = missing ? "required" : to_node(target).text();
    std::vector<std::string> names = allowed.names;
    if (std::holds_alternative<bool*>(target)) names = {"true", "false"};
    rows_->push_back({group.path, std::string(key), value, allowed.text, std::string(help), std::move(names)});
  }
}

void ReadWalk::enter(std::string_view key) {
  const Group& outer = groups_.back();
  known_[outer.path].emplace_back(key);
  const Node* node = outer.node ? outer.node->find(key) : nullptr;
  const std::string path = outer.path + std::string(key);
  if (node && !node->is_map()) throw UserError(node->where(), path, "{} is not a group of keys", node->describe());
  known_[path + "."];
  groups_.push_back({path + ".", node});
}

void ReadWalk::leave() { groups_.pop_back(); }

UserError ReadWalk::refusal(std::string_view key, const std::string& message) const {
  const Group& group = groups_.back();
  const Node* node = group.node ? group.node->find(key) : nullptr;
  return UserError(node ? node->where() : "", group.path + std::string(key), "{}", message);
}

void ReadWalk::check_all_known() const { check_known(*groups_.front().node, ""); }

std::vector<std::string> ReadWalk::known_paths() const {
  std::vector<std::string> paths;
  for (const auto& [group, keys] : known_) {
    for (const std::string& key : keys) paths.push_back(group + key);
  }
  return paths;
}

void ReadWalk::check_known(const Node& group, const std::string& path) const {
  const auto keys = known_.find(path);
  if (keys == known_.end()) return;  // a field, not a group
  const std::vector<std::string>& names = keys->second;
  for (const auto& [key, value] : group.map()) {
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      throw UserError(value.where(), path + key, "unknown key{}", did_you_mean_key(path + key, known_paths()));
    }
    if (value.is_map()) check_known(value, path + key + ".");
  }
}

}  // namespace freeatm::config
