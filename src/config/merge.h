// SPDX-License-Identifier: Apache-2.0
// OmegaConf's merge: maps key by key, lists and scalars replaced, `???` never over a value.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

struct Merge {
  bool closed = false;  // a key that the target does not have is an error, as in Hydra's overrides without "+"
  std::string hint;     // what that error recommends
};

/// Merges a map into a map, or a list into a list.
///   ancestors: the maps and lists from the root to the target's parent (relative interpolations need them); path: the
///   target's key
/// Throws UserError(source.where(), path, ...) where a list meets a map, or where an unknown key meets a closed tree.
void merge(Node& target, const Node& source, std::vector<const Node*>& ancestors, const std::string& path,
           const Merge& rules = {});

/// Same type and same text: for scalars and lists of them.
bool same(const Node& a, const Node& b);

/// The names of a map's keys, for messages.
std::vector<std::string> key_names(const Node& map);

}  // namespace freeatm::config
