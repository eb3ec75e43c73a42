// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "freeatm/core/random.h"

namespace freeatm::objectives {

/// -log(-log u). What is largest after such noise is added to log-weights is drawn with those weights.
inline double gumbel(RandomStream& random) {
  constexpr double kLeast = 1e-300;  // uniform() may be 0
  return -std::log(-std::log(std::max(random.uniform(), kLeast)));
}

/// In any order, each as likely (Fisher and Yates).
inline void shuffle(std::vector<int64_t>& values, RandomStream& random) {
  for (int64_t i = std::ssize(values) - 1; i > 0; --i) std::swap(values[i], values[random.integer(i + 1)]);
}

}  // namespace freeatm::objectives
