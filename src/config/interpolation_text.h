// SPDX-License-Identifier: Apache-2.0
// The grammar of interpolated strings: literal text and ${...}, which may nest.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

struct Interpolation;

/// Pieces of literal text and interpolations in their order.
struct InterpolatedText {
  struct Part {
    bool is_interpolation = false;
    std::string literal;
    std::shared_ptr<const Interpolation> interpolation;
  };
  std::vector<Part> parts;
  bool quoted = false;  // an argument in quotes is a string, whatever it spells
};

/// ${name} is a path of the tree, ${name:arguments} a call. Either name may hold interpolations.
struct Interpolation {
  InterpolatedText name;
  bool is_call = false;
  std::vector<InterpolatedText> arguments;
};

/// Throws UserError(where, key, ...) for an interpolation that is not well formed.
InterpolatedText parse_interpolated(const std::string& text, const std::string& where, const std::string& key);

/// An argument without quotes: a number, a boolean, null, or the text.
Node typed_word(const std::string& word);

/// Python's str(): what a value becomes inside a longer text. "True", "None", "1e-05", "['a', 1]"
std::string python_str(const Node& node);

}  // namespace freeatm::config
