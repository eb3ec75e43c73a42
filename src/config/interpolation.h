// SPDX-License-Identifier: Apache-2.0
// OmegaConf's interpolation: ${a.b}, ${.sibling}, ${..up}, ${list[0]}, ${a.${b}}, ${oc.env:NAME,default}, "\${" for the
// text itself.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/node.h"

namespace freeatm::config {

bool has_interpolation(const Node& node);

/// The tree with every interpolation replaced by its value. Throws UserError(file:line, key, ...) where one has none.
Node resolve_interpolations(const Node& root);

/// The list or map of the tree that a value which is one interpolation leads to; nullptr where it leads to none.
///   ancestors: the maps and lists from the root to the value's parent
const Node* referred_container(const Node& value, const std::vector<const Node*>& ancestors);

}  // namespace freeatm::config
