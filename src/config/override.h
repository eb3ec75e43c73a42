// SPDX-License-Identifier: Apache-2.0
// Hydra's override grammar: what stands on the command line after the command.
#pragma once
#include <optional>
#include <string>

#include "freeatm/config/node.h"

namespace freeatm::config {

struct Override {
  enum class Kind { kChange, kAdd, kForceAdd, kDelete };  // a=1, +a=1, ++a=1, ~a
  Kind kind = Kind::kChange;
  std::string key;                     // "a.b", "model", "trainer/logger"
  std::optional<std::string> package;  // of "group@package=option"
  Node value;                          // of "~a" null
  bool has_value = false;
  std::string text;  // as it was typed

  /// "group" or "group@package": how a defaults list knows the choice.
  std::string choice() const { return package ? key + "@" + *package : key; }
};

/// Throws UserError(text, ...) for what the grammar does not know, and for sweeps and functions: this is one run.
Override parse_override(const std::string& text);

/// The value alone, behind "=". Values carry `where`.
Node parse_override_value(const std::string& text, const std::string& where);

}  // namespace freeatm::config
