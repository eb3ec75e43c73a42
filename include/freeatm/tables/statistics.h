// SPDX-License-Identifier: Apache-2.0
// What several seeds say.
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace freeatm::tables {

struct Summary {
  int64_t count = 0;
  double mean = 0;
  std::optional<double> deviation;  // with n - 1; none of fewer than two
};

/// Of at least one value.
Summary summary_of(const std::vector<double>& values);

struct Difference {
  Summary of_pairs;
  std::optional<std::pair<double, double>> interval;  // 95%, Student's t; none of fewer than two pairs
};

/// Of pairs that share a seed: what each has more than the baseline.
Difference paired_difference(const std::vector<double>& values, const std::vector<double>& baseline);

/// t for which a variable of Student's distribution lies in [-t, t] with that probability.
///   degrees: of freedom, at least 1; inside: in (0, 1)
double student_t(double inside, int64_t degrees);

}  // namespace freeatm::tables
