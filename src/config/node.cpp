// SPDX-License-Identifier: Apache-2.0
#include "freeatm/config/node.h"

#include <charconv>

#include "freeatm/core/error.h"

#include "scalar.h"

namespace freeatm::config {
namespace {

// An element of a list by its index as text; nullptr when it is no index or out of range.
const Node* element(const Node::List& list, std::string_view index) {
  size_t i = 0;
  const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), i);
  return error == std::errc() && end == index.data() + index.size() && i < list.size() ? &list[i] : nullptr;
}

}  // namespace

bool Node::is_missing() const {
  const auto* text = std::get_if<std::string>(&value_);
  return text && *text == "???";
}

const Node* Node::find(std::string_view key) const {
  if (!is_map()) return nullptr;
  for (const auto& [name, node] : map()) {
    if (name == key) return &node;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

const Node* Node::find_path(std::string_view dotted) const {
  const Node* node = this;
  while (node) {
    const size_t dot = dotted.find('.');
    const std::string_view key = dotted.substr(0, dot);
    node = node->is_list() ? element(node->list(), key) : node->find(key);
    if (dot == std::string_view::npos) return node;
    dotted.remove_prefix(dot + 1);
  }
  return nullptr;
}

Node* Node::find_path(std::string_view dotted) { return const_cast<Node*>(std::as_const(*this).find_path(dotted)); }

Node& Node::set(std::string_view key, Node value) {
  FREEATM_CHECK(is_map(), "'{}' is set in {}", key, describe());
  if (Node* present = find(key)) return *present = std::move(value);
  return map().emplace_back(key, std::move(value)).second;
}

std::string Node::describe() const {
  if (is_null()) return "null";
  if (is_list()) return "a list";
  if (is_map()) return "a group of keys";
  return std::holds_alternative<std::string>(value_) ? "'" + text() + "'" : text();
}

std::string Node::text() const {
  if (is_null()) return "null";
  if (const auto* flag = std::get_if<bool>(&value_)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value_)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value_)) return python_repr(*number);
  if (const auto* string = std::get_if<std::string>(&value_)) return *string;
  std::string out;
  if (is_list()) {
    for (const Node& item : list()) out += (out.empty() ? "" : ", ") + item.text();
    return "[" + out + "]";
  }
  for (const auto& [key, item] : map()) out += (out.empty() ? "" : ", ") + key + ": " + item.text();
  return "{" + out + "}";
}

}  // namespace freeatm::config
