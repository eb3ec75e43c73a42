// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <string>

#include "freeatm/config/node.h"

namespace freeatm::testing {

/// The same types and values at each place; NaN equals NaN.
inline bool equal(const config::Node& a, const config::Node& b) {
  if (a.value().index() != b.value().index()) return false;
  if (a.is_list()) {
    return std::equal(a.list().begin(), a.list().end(), b.list().begin(), b.list().end(), equal);
  }
  if (a.is_map()) {
    return std::equal(a.map().begin(), a.map().end(), b.map().begin(), b.map().end(),
                      [](const auto& x, const auto& y) { return x.first == y.first && equal(x.second, y.second); });
  }
  return a.text() == b.text();
}

inline std::string repeated(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace freeatm::testing
