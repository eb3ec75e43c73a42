// SPDX-License-Identifier: Apache-2.0
#include "numbers.h"

#include <cstdio>

namespace freeatm::tables {

std::string fixed(double value, int64_t digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(digits), value);
  return buffer;
}

std::string signed_fixed(double value, int64_t digits) { return (value < 0 ? "" : "+") + fixed(value, digits); }

std::string mean_text(const CellResult& cell, int64_t digits) {
  if (!cell.summary) return "–";
  std::string text = fixed(cell.summary->mean, digits);
  if (cell.summary->deviation) text += " ± " + fixed(*cell.summary->deviation, digits);
  return text + " (" + std::to_string(cell.summary->count) + ")";
}

std::string interval_text(const Difference& difference, int64_t digits) {
  if (!difference.interval) return "one seed: none";
  return "[" + signed_fixed(difference.interval->first, digits) + ", " +
         signed_fixed(difference.interval->second, digits) + "]";
}

}  // namespace freeatm::tables
