// SPDX-License-Identifier: Apache-2.0
// Python's decimal.Decimal, as far as Hydra's range() needs it: exact from a double, sums rounded to 28 digits.
#pragma once
#include <string>

namespace freeatm::config {

class Decimal {
 public:
  explicit Decimal(double finite);

  /// The sum, rounded half to even to 28 significant digits.
  Decimal operator+(const Decimal& other) const;
  bool operator<(const Decimal& other) const;
  /// The nearest double.
  double value() const;

 private:
  Decimal() = default;

  bool negative_ = false;
  std::string digits_;  // a fixed point: as many in front of and behind it as any double can have
};

}  // namespace freeatm::config
