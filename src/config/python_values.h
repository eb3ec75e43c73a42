// SPDX-License-Identifier: Apache-2.0
// How Python compares values: 1, 1.0 and true are equal.
#pragma once
#include "freeatm/config/node.h"

namespace freeatm::config {

/// An integer, a float or a boolean.
bool is_number(const Node& node);
/// A number's value; exact for integers up to 2^53.
double number(const Node& node);

/// a == b: the order of keys is no matter.
bool python_equal(const Node& a, const Node& b);

/// a < b of two numbers, texts, or lists of them. Throws UserError(a.where(), ...) for others.
bool python_less(const Node& a, const Node& b);

}  // namespace freeatm::config
