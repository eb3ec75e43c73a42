// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace freeatm {

/// The names in a table of what has one, in its order: what a config may say, and what messages list.
template <class Table>
std::vector<std::string> names_in(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

}  // namespace freeatm
