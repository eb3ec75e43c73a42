// SPDX-License-Identifier: Apache-2.0
// How text becomes a number, a boolean or null, in the two grammars that Hydra's users know, and how Python prints a
// number.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "freeatm/config/node.h"

namespace freeatm::config {

/// A plain YAML scalar with the type that OmegaConf's loader gives it: YAML 1.1 without timestamps, and floats may lack
/// the point.
///   "on" -> true, "010" -> 8, "1:30" -> 90, "1e-3" -> 0.001, "0o10" -> "0o10"
/// Throws std::out_of_range for an integer beyond 64 bits and std::invalid_argument for one without digits ("0x_").
Node::Value yaml_scalar(const std::string& text);

/// The length of the longest number of Hydra's override grammar that the text begins with; 0 where it begins with none.
///   "1.5.3" -> 3, "010" -> 1, "-5" -> 2, "1e3x" -> 3
size_t number_prefix(std::string_view text);

/// A word of Hydra's override grammar that is a number, a boolean or null; nothing for any other word.
///   "1_000" -> 1000, "1e3", "inf", "nan" -> floats, "TRUE" -> true, "NULL" -> null; "010", "0x10", "on" -> nothing
/// Throws std::out_of_range for an integer beyond 64 bits.
std::optional<Node::Value> override_word(std::string_view word);

/// Python's repr of a float: "1.0", "1e-05", "1e+16", "inf".
std::string python_repr(double value);

}  // namespace freeatm::config
