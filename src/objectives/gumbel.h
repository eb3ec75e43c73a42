// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>

#include "freeatm/core/random.h"

namespace freeatm::objectives {

/// -log(-log u). What is largest after such noise is added to log-weights is drawn with those weights.
inline double gumbel(RandomStream& random) {
  constexpr double kLeast = 1e-300;  // uniform() may be 0
  return -std::log(-std::log(std::max(random.uniform(), kLeast)));
}

}  // namespace freeatm::objectives
