// SPDX-License-Identifier: Apache-2.0
#include "merge.h"

#include "freeatm/core/error.h"

#include "interpolation.h"

namespace freeatm::config {
namespace {

void merge_entry(Node& target, const std::string& key, const Node& value, std::vector<const Node*>& ancestors,
                 const std::string& path, const Merge& rules) {
  Node* present = target.find(key);
  if (!present) {
    if (rules.closed) {
      throw UserError(value.where(), path, "not in the configuration{}{}", did_you_mean(key, key_names(target)),
                      rules.hint);
    }
    target.map().emplace_back(key, value);
    return;
  }
  if (value.is_missing()) return;
  ancestors.push_back(&target);
  if (has_interpolation(*present)) {  // the map that it leads to is copied, so that the original does not change
    if (const Node* referred = referred_container(*present, ancestors)) *present = Node(*referred);
  }
  if (!present->is_scalar() && !value.is_scalar()) {
    merge(*present, value, ancestors, path, rules);
  } else {
    *present = value;
  }
  ancestors.pop_back();
}

}  // namespace

void merge(Node& target, const Node& source, std::vector<const Node*>& ancestors, const std::string& path,
           const Merge& rules) {
  if (target.is_list() != source.is_list()) {
    throw UserError(source.where(), path, "{} cannot be merged into {}", source.describe(), target.describe());
  }
  if (source.is_list()) {
    target = source;
    return;
  }
  for (const auto& [key, value] : source.map()) {
    merge_entry(target, key, value, ancestors, path.empty() ? key : path + "." + key, rules);
  }
}

bool same(const Node& a, const Node& b) { return a.value().index() == b.value().index() && a.text() == b.text(); }

std::vector<std::string> key_names(const Node& map) {
  std::vector<std::string> names;
  if (map.is_map()) {
    for (const auto& [key, value] : map.map()) names.push_back(key);
  }
  return names;
}

}  // namespace freeatm::config
