// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace freeatm::report {

/// For people: four significant digits; whole numbers in full.
std::string number(double value);
/// With so many decimals as tell multiples of `step` apart.
std::string number_on_scale(double value, double step);
/// A metric's name, its underscores as spaces.
std::string spaced(std::string name);

}  // namespace freeatm::report
