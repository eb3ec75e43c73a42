// SPDX-License-Identifier: Apache-2.0
#include "nearest_key.h"

#include <algorithm>

#include "freeatm/core/error.h"

namespace freeatm::config {
namespace {

std::string group_of(const std::string& path) { return path.substr(0, path.rfind('.') + 1); }  // "sampler."
std::string name_of(const std::string& path) { return path.substr(path.rfind('.') + 1); }

void add_paths(const Node& node, const std::string& group, std::vector<std::string>& out) {
  if (!node.is_map()) return;
  for (const auto& [key, value] : node.map()) {
    out.push_back(group + key);
    add_paths(value, group + key + ".", out);
  }
}

}  // namespace

std::string did_you_mean_key(const std::string& path, const std::vector<std::string>& known) {
  const std::string group = group_of(path), name = name_of(path);
  std::vector<std::string> siblings, cousins, names;
  for (const std::string& other : known) {
    if (group_of(other) == group) {
      siblings.push_back(name_of(other));
    } else if (name_of(other) == name) {
      cousins.push_back("'" + other + "'");
    } else {
      names.push_back(name_of(other));
    }
  }
  if (!cousins.empty() && cousins.size() <= 3) return "; did you mean " + one_of(cousins) + "?";
  if (const std::string hint = did_you_mean(name, siblings); !hint.empty()) return hint;
  const std::string hint = did_you_mean(name, names);
  const auto meant = std::find_if(known.begin(), known.end(), [&](const std::string& other) {
    return group_of(other) != group && hint.find("'" + name_of(other) + "'") != std::string::npos;
  });
  return meant == known.end() ? "" : "; did you mean '" + *meant + "'?";
}

std::vector<std::string> key_paths(const Node& tree) {
  std::vector<std::string> out;
  add_paths(tree, "", out);
  return out;
}

}  // namespace freeatm::config
