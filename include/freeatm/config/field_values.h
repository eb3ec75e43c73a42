// SPDX-License-Identifier: Apache-2.0
// What a command would read from a tree, without running it: for who compares what commands are given.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"

namespace freeatm::config {

struct FieldValue {
  std::string path;       // "trainer.lr"
  std::string value;      // as text
  std::string otherwise;  // what the options struct has where the tree says nothing
  bool is_free;           // changes nothing of what comes out
};

/// The fields that `run` reads first, which every command does before anything else. Throws UserError where a value is
/// missing, wrong, or of an unknown key.
std::vector<FieldValue> field_values(const std::string& command, const Node& tree,
                                     const std::function<int(const Composed&)>& run);

}  // namespace freeatm::config
