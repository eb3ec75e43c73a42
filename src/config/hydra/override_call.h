// SPDX-License-Identifier: Apache-2.0
// A call of a function in an override's value: "range(1,9,step=2)".
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "freeatm/config/node.h"
#include "freeatm/core/error.h"

#include "hydra/sweep.h"

namespace freeatm::config {

using Argument = std::variant<Node, Sweep>;

class Call {
 public:
  std::string name, where;  // where: the override's text
  std::vector<Argument> positional;
  std::vector<std::pair<std::string, Argument>> named;  // behind the positional ones

  template <class... Args>
  [[noreturn]] void refuse(std::string_view pattern, const Args&... args) const {
    throw UserError(where, "", "{}(): {}", name, format(pattern, args...));
  }

  /// Refuses other names than these; where every argument has a name also too many of them, and one given twice.
  void check_names(const std::vector<std::string>& names, bool all_named) const;

  /// An argument by its name (the last one counts) or else its place.
  std::optional<Argument> argument(const std::string& name, size_t place = std::string::npos) const;
  /// The same, where null means not given.
  std::optional<Argument> optional_argument(const std::string& name, size_t place = std::string::npos) const;

  /// The value, which must be a number.
  std::optional<Node> number(const std::string& name, const std::optional<Argument>& value) const;
  /// The value, which must not be a sweep.
  const Node& single(const Argument& value) const;
  /// The positional arguments as the values of a sweep.
  Sweep simple_choice() const;
};

}  // namespace freeatm::config
