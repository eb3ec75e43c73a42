// SPDX-License-Identifier: Apache-2.0
#include "python_values.h"

#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"

#include "merge.h"

namespace freeatm::config {
namespace {

bool is_integer(const Node& node) { return std::holds_alternative<int64_t>(node.value()); }

}  // namespace

bool is_number(const Node& node) { return node.is_scalar() && !node.is_null() && !node.is_text(); }

double number(const Node& node) {
  if (const auto* flag = std::get_if<bool>(&node.value())) return *flag;
  if (is_integer(node)) return static_cast<double>(std::get<int64_t>(node.value()));
  return std::get<double>(node.value());
}

bool python_equal(const Node& a, const Node& b) {
  if (is_number(a) && is_number(b)) return number(a) == number(b);
  if (a.is_list() && b.is_list()) {
    return std::equal(a.list().begin(), a.list().end(), b.list().begin(), b.list().end(), python_equal);
  }
  if (a.is_map() && b.is_map()) {
    return a.map().size() == b.map().size() && std::all_of(a.map().begin(), a.map().end(), [&](const auto& entry) {
             const Node* other = b.find(entry.first);
             return other && python_equal(entry.second, *other);
           });
  }
  return a.is_scalar() && b.is_scalar() && same(a, b);
}

bool python_less(const Node& a, const Node& b) {
  if (is_integer(a) && is_integer(b)) return std::get<int64_t>(a.value()) < std::get<int64_t>(b.value());
  if (is_number(a) && is_number(b) && !std::isnan(number(a)) && !std::isnan(number(b))) return number(a) < number(b);
  if (a.is_text() && b.is_text()) return a.text() < b.text();
  if (a.is_list() && b.is_list()) {
    const auto [left, right] =
        std::mismatch(a.list().begin(), a.list().end(), b.list().begin(), b.list().end(), python_equal);
    if (left == a.list().end() || right == b.list().end()) return right != b.list().end();
    return python_less(*left, *right);
  }
  throw UserError(a.where(), "", "{} and {} have no order", a.describe(), b.describe());
}

}  // namespace freeatm::config
