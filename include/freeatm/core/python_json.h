// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace freeatm {

/// Python's json module writes numbers that JSON does not know (NaN, Infinity, -Infinity); null stands for them here.
std::string without_infinities(std::string_view text);

}  // namespace freeatm
