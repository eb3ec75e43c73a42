// SPDX-License-Identifier: Apache-2.0
// What a `fields` list is walked with: one class reads values from a tree, one writes them into a tree.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "freeatm/config/field_values.h"
#include "freeatm/config/fields.h"
#include "freeatm/core/error.h"

namespace freeatm::config {

/// A field's variable, whatever its type.
using Target =
    std::variant<bool*, int64_t*, double*, std::string*, std::optional<int64_t>*, std::optional<double>*,
                 std::optional<std::string>*, std::vector<int64_t>*, std::vector<double>*, std::vector<std::string>*>;

/// The variable's value as a node.
Node to_node(const Target& target);

/// Sets the variable. Throws UserError(node.where(), path, ...) where type or range are wrong.
void from_node(const Node& node, const std::string& path, const Target& target, const Allowed& allowed);

class Walk {
 public:
  virtual ~Walk() = default;
  virtual void field(std::string_view key, const Target& target, std::string_view help, const Allowed& allowed) = 0;
  virtual void enter(std::string_view key) = 0;
  virtual void leave() = 0;
  virtual bool reading() const { return false; }
  virtual UserError refusal(std::string_view key, const std::string& message) const = 0;
};

/// Options -> tree. With `free_keys`: the paths of the fields that are marked so are added to them.
class WriteWalk final : public Walk {
 public:
  explicit WriteWalk(std::vector<std::string>* free_keys = nullptr) : free_keys_(free_keys) {}
  void field(std::string_view key, const Target& target, std::string_view help, const Allowed& allowed) override;
  void enter(std::string_view key) override;
  void leave() override;
  UserError refusal(std::string_view key, const std::string& message) const override;
  Node take() { return std::move(groups_.front()); }

 private:
  std::vector<Node> groups_{Node(Node::Map())};
  std::vector<std::string> names_;
  std::vector<std::string>* free_keys_;
};

/// Tree -> options. With `rows`: what is still missing is passed over, and every field leaves a row. With `values`:
/// everything is checked, and every field leaves its value.
class ReadWalk final : public Walk {
 public:
  explicit ReadWalk(const Node& tree, std::vector<FieldRow>* rows = nullptr, std::vector<FieldValue>* values = nullptr);
  void field(std::string_view key, const Target& target, std::string_view help, const Allowed& allowed) override;
  void enter(std::string_view key) override;
  void leave() override;
  bool reading() const override { return !rows_; }
  UserError refusal(std::string_view key, const std::string& message) const override;

  /// Throws UserError for a key of the tree that no field has asked for.
  void check_all_known() const;

 private:
  struct Group {
    std::string path;  // "" or "sampler."
    const Node* node;  // nullptr where the tree does not have it
  };
  void check_known(const Node& group, const std::string& path) const;
  std::vector<std::string> known_paths() const;

  std::vector<Group> groups_;
  std::map<std::string, std::vector<std::string>> known_;  // a group's path -> its keys
  std::vector<FieldRow>* rows_;
  std::vector<FieldValue>* values_;
};

/// The rows as text of at most 100 columns, one block a group.
std::string help_text(const std::vector<FieldRow>& rows);

}  // namespace freeatm::config
