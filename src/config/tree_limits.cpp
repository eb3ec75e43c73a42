// SPDX-License-Identifier: Apache-2.0
#include "tree_limits.h"

namespace freeatm::config {

size_t tree_bytes(const Node& node) {
  size_t bytes = sizeof(Node) + node.where().size();
  if (const auto* text = std::get_if<std::string>(&node.value())) bytes += text->size();
  if (node.is_list()) {
    for (const Node& item : node.list()) bytes += tree_bytes(item);
  } else if (node.is_map()) {
    for (const auto& [key, item] : node.map()) bytes += key.size() + tree_bytes(item);
  }
  return bytes;
}

}  // namespace freeatm::config
