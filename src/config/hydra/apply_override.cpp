// SPDX-License-Identifier: Apache-2.0
#include "hydra/apply_override.h"

#include <algorithm>
#include <string_view>

#include "freeatm/core/error.h"

#include "interpolation.h"
#include "merge.h"
#include "nearest_key.h"
#include "python_values.h"

namespace freeatm::config {
namespace {

using Kind = Override::Kind;

std::vector<std::string> split(std::string_view key) {
  std::vector<std::string> parts;
  for (size_t dot; (dot = key.find('.')) != std::string_view::npos; key.remove_prefix(dot + 1)) {
    parts.emplace_back(key.substr(0, dot));
  }
  parts.emplace_back(key);
  return parts;
}

[[noreturn]] void refuse_unknown(const Override& override, const Node& tree, const Node& parent,
                                 const std::string& name) {
  if (parent.is_list()) {
    throw UserError(override.text, override.key, "'{}' is not an index of a list of {}", name, parent.list().size());
  }
  const std::string hint = override.kind == Kind::kDelete ? "" : " (+" + override.text + " adds it)";
  throw UserError(override.text, override.key, "not in the configuration{}{}",
                  did_you_mean_key(override.key, key_paths(tree)), hint);
}

// The list or map at a path, where an interpolation stands for what it leads to; nullptr where there is none.
Node* container_at(Node& tree, const std::vector<std::string>& path) {
  std::vector<const Node*> ancestors;
  Node* node = &tree;
  for (const std::string& part : path) {
    ancestors.push_back(node);
    node = node->find_path(part);
    if (node && has_interpolation(*node)) {
      node = const_cast<Node*>(referred_container(*node, ancestors));  // a part of `tree`, which is ours to change
    }
    if (!node) return nullptr;
  }
  return node;
}

// Through an interpolation it is the original that loses the key, as in Hydra.
void remove(Node& tree, const Override& override) {
  std::vector<std::string> path = split(override.key);
  const std::string name = std::move(path.back());
  path.pop_back();
  Node* parent = container_at(tree, path);
  const Node* node = parent ? parent->find_path(name) : nullptr;
  if (!node) refuse_unknown(override, tree, parent ? *parent : tree, name);
  if (node->is_null() || node->is_missing()) {
    throw UserError(override.text, override.key, "{} counts as absent already", node->describe());
  }
  if (!parent->is_map()) throw UserError(override.text, override.key, "an element of a list cannot be taken out");
  if (!override.value.is_null() && !python_equal(*node, override.value)) {
    throw UserError(override.text, override.key, "the value is {}, not {}", node->text(), override.value.text());
  }
  std::erase_if(parent->map(), [&](const auto& entry) { return entry.first == name; });
}

// "+" must not change what is there, but may add to a map.
void check_addable(const Node& tree, const Override& override) {
  const Node* present = tree.find_path(override.key);
  if (present && override.value.is_scalar() && !present->is_null() && !present->is_missing()) {
    throw UserError(override.text, override.key, "already there; {} changes it", override.text.substr(1));
  }
}

// The list or map that holds the override's last key; "+" makes what is not there.
Node& parent_of(Node& tree, const Override& override, const std::vector<std::string>& parts,
                std::vector<const Node*>& ancestors) {
  const bool adds = override.kind != Kind::kChange;
  Node* node = &tree;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    ancestors.push_back(node);
    Node* next = node->find_path(parts[i]);
    if (!next && (!adds || node->is_list())) refuse_unknown(override, tree, *node, parts[i]);
    if (!next) next = &node->set(parts[i], Node(Node::Map(), override.text));
    if (next->is_scalar()) {
      if (!adds) throw UserError(override.text, override.key, "'{}' is {} and has no keys", parts[i], next->describe());
      *next = Node(Node::Map(), override.text);
    }
    node = next;
  }
  return *node;
}

}  // namespace

void apply_override(Node& tree, const Override& override) {
  if (override.package) {
    throw UserError(override.text, override.key, "there is no group '{}' to choose from", override.key);
  }
  if (override.kind == Kind::kDelete) return remove(tree, override);
  if (override.kind == Kind::kAdd) check_addable(tree, override);

  const std::vector<std::string> parts = split(override.key);
  std::vector<const Node*> ancestors;
  Node& parent = parent_of(tree, override, parts, ancestors);
  Node* present = parent.find_path(parts.back());
  const bool adds = override.kind != Kind::kChange;
  if (!present && (!adds || parent.is_list())) refuse_unknown(override, tree, parent, parts.back());
  if (!present) {
    parent.set(parts.back(), override.value);
  } else if (!present->is_scalar() && !override.value.is_scalar()) {
    ancestors.push_back(&parent);
    merge(*present, override.value, ancestors, override.key, {!adds, " (+" + override.text + " adds it)"});
  } else {
    *present = override.value;
  }
}

}  // namespace freeatm::config
