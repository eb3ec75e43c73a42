// SPDX-License-Identifier: Apache-2.0
// int(), float(), str() and bool(), with Python's rules for each.
#pragma once
#include "hydra/override_call.h"

namespace freeatm::config {

/// Casts by `call.name`: lists and maps element by element, a choice value by value, a range's and interval's numbers.
///   int("1_000") -> 1000, int(2.9) -> 2, float("1e3") -> 1000.0, str(true) -> "true", bool("FALSE") -> false
Argument cast(const Call& call, const Argument& value);

}  // namespace freeatm::config
