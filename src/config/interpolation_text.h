// SPDX-License-Identifier: Apache-2.0
// OmegaConf's grammar of interpolated strings: literal text and ${...}, which may nest.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

struct Interpolation;

/// Pieces of literal text and interpolations in their order.
struct InterpolatedText {
  struct Part {
    std::string literal;
    std::shared_ptr<const Interpolation> interpolation;  // nullptr: the part is literal
  };
  std::vector<Part> parts;

  bool is_one_interpolation() const { return parts.size() == 1 && parts[0].interpolation; }
};

/// An argument of a resolver, or an element of a list or map in one.
struct Element {
  enum class Kind { kWord, kText, kQuoted, kList, kMap };
  Kind kind = Kind::kQuoted;
  Node word;                      // kWord: a number, a boolean or null
  InterpolatedText text;          // kText, and kQuoted, which is a string whatever it spells
  std::vector<Element> items;     // kList, kMap
  std::vector<std::string> keys;  // kMap: those of the items
};

/// ${name} is a path of the tree, ${name:arguments} a call. Either name may hold interpolations.
struct Interpolation {
  InterpolatedText name;
  bool is_call = false;
  std::vector<Element> arguments;
};

/// Throws std::invalid_argument("no closing brace") for an interpolation that is not well formed.
InterpolatedText parse_interpolated(std::string_view text);

/// A whole text as one element: what oc.decode reads. Throws likewise.
Element parse_element(std::string_view text);

/// The text with a backslash in front of every "${" (and those before it doubled): it stands for itself when it is
/// read.
std::string escape_interpolations(const std::string& text);

/// Python's str(): what a value becomes inside a longer text. "True", "None", "1e-05", "['a', 1]"
std::string python_str(const Node& node);

/// At most 80 characters of a text, for messages.
std::string shortened(const std::string& text);

}  // namespace freeatm::config
