// SPDX-License-Identifier: Apache-2.0
#include "number.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace freeatm::report {
namespace {

std::string print(const char* pattern, int digits, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, pattern, digits, value);
  return buffer;
}

bool is_plain(double value) { return std::abs(value) < 1e9; }

}  // namespace

std::string number(double value) {
  const bool is_whole = is_plain(value) && value == std::round(value);
  return is_whole ? print("%.*f", 0, value) : print("%.*g", 4, value);
}

std::string number_on_scale(double value, double step) {
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  if (decimals > 5 || !is_plain(value)) return print("%.*g", 3, value);
  return print("%.*f", decimals, value == 0 ? 0.0 : value);  // no "-0"
}

std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

}  // namespace freeatm::report
