// SPDX-License-Identifier: Apache-2.0
// The entries of a defaults list, and where their configs lie and land.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

/// One entry: `_self_`, `path/config`, or `group: option`, with its keywords and package.
struct Default {
  enum class Kind { kSelf, kConfig, kGroup };
  Kind kind = Kind::kSelf;
  std::string group;                   // without a leading "/"; "" for a config beside its parent
  Node option;                         // a string, null, or a list of strings
  std::optional<std::string> package;  // written behind "@"
  std::optional<std::string> header;   // from the config's own "# @package"
  bool absolute = false, optional = false, overrides = false, appended = false, primary = false;
  std::string where;
  std::string parent_group, parent_package;  // of the config in whose list it stands

  /// Gives the entry its parent; `_group_` in the package is known from then on.
  void place(const std::string& group_of_parent, const std::string& package_of_parent);

  bool is_options() const { return option.is_list(); }
  const std::string& name() const { return std::get<std::string>(option.value()); }
  std::string group_path() const;   // "trainer/logger"
  std::string config_path() const;  // "trainer/logger/csv"
  /// Where the config lands, "" for the root. A package from the entry wins over the header, that over the group's
  /// path.
  std::string final_package(bool with_header = true) const;
  /// How overrides name the choice: "group", or "group@package" where the package is not the group's own.
  std::string choice() const;
};

/// The entry "path/config", without keywords.
Default config_entry(const std::string& path);

/// Reads a `defaults` list. Throws UserError for entries of another form.
std::vector<Default> parse_defaults(const Node& list);

}  // namespace freeatm::config
