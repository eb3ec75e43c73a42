// SPDX-License-Identifier: Apache-2.0
// Hydra's override grammar: what stands on the command line after the command.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "freeatm/config/node.h"

#include "hydra/sweep.h"

namespace freeatm::config {

struct Override {
  enum class Kind { kChange, kAdd, kForceAdd, kDelete };  // a=1, +a=1, ++a=1, ~a
  Kind kind = Kind::kChange;
  std::string key;                     // "a.b", "model", "trainer/logger"
  std::optional<std::string> package;  // of "group@package=option"
  Node value;                          // of "~a" null
  std::optional<Sweep> sweep;          // in place of the value
  std::string text;                    // as it was typed

  /// "group" or "group@package": how a defaults list knows the choice.
  std::string choice() const { return package ? key + "@" + *package : key; }
  /// What stands in front of "=": "+group@package".
  std::string left_side() const { return text.substr(0, text.find('=')); }
};

/// Throws UserError(text, ...) for what the grammar does not know.
Override parse_override(const std::string& text);
std::vector<Override> parse_overrides(const std::vector<std::string>& texts);

/// The value alone, behind "=". Values carry `where`.
std::variant<Node, Sweep> parse_override_value(const std::string& text, const std::string& where);

}  // namespace freeatm::config
