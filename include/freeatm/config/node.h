// SPDX-License-Identifier: Apache-2.0
// A configuration tree as a value: what YAML files and overrides become, before anyone knows what the keys mean.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace freeatm::config {

/// null, bool, int, float, string, list or map; maps keep the order of their keys, as OmegaConf does.
/// `where` is "configs/x.yaml:12", or an override's text: it goes in front of every error about the value.
class Node {
 public:
  using List = std::vector<Node>;
  using Map = std::vector<std::pair<std::string, Node>>;
  using Value = std::variant<std::nullptr_t, bool, int64_t, double, std::string, List, Map>;

  Node() = default;
  Node(Value value, std::string where = "") : value_(std::move(value)), where_(std::move(where)) {}

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_map() const { return std::holds_alternative<Map>(value_); }
  bool is_text() const { return std::holds_alternative<std::string>(value_); }
  bool is_scalar() const { return !is_list() && !is_map(); }
  /// The string "???": a value that the user must give.
  bool is_missing() const;

  const Value& value() const { return value_; }
  Value& value() { return value_; }
  const std::string& where() const { return where_; }

  const List& list() const { return std::get<List>(value_); }
  const Map& map() const { return std::get<Map>(value_); }
  List& list() { return std::get<List>(value_); }
  Map& map() { return std::get<Map>(value_); }

  /// A map's entry by key, or by a dotted path; nullptr where there is none.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  const Node* find_path(std::string_view dotted) const;
  Node* find_path(std::string_view dotted);

  /// Sets a map's entry, in place when the key is there, else at the end.
  Node& set(std::string_view key, Node value);

  /// "int 3", "string 'x'", "list", for messages.
  std::string describe() const;
  /// The value alone: "3", "x", "[1, 2]".
  std::string text() const;

 private:
  Value value_ = nullptr;
  std::string where_;
};

/// YAML as OmegaConf reads it: `on` is true, `010` is 8, `1e-3` is a float; duplicate keys, tags and aliases that
/// explode are refused. Interpolations stay as they are. Throws UserError with file:line.
Node parse_yaml(const std::string& text, const std::string& file);

/// A file by itself, interpolations resolved.
Node load_yaml(const std::string& path);

/// A composed tree as YAML. Read by load_yaml or composed, it gives the same tree: a "${" in a text is written "\${".
std::string to_yaml(const Node& node);

}  // namespace freeatm::config
