// SPDX-License-Identifier: Apache-2.0
// How a table writes its numbers.
#pragma once
#include <string>

#include "freeatm/tables/results.h"

namespace freeatm::tables {

/// With so many digits behind the point: "0.712".
std::string fixed(double value, int64_t digits);
/// "+0.012"
std::string signed_fixed(double value, int64_t digits);
/// "0.712 ± 0.010 (3)": mean, deviation, seeds; "–" where nothing is known.
std::string mean_text(const CellResult& cell, int64_t digits);
/// "[+0.002, +0.022]", or why there is none.
std::string interval_text(const Difference& difference, int64_t digits);

}  // namespace freeatm::tables
