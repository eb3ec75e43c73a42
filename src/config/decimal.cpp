// SPDX-License-Identifier: Apache-2.0
#include "decimal.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace freeatm::config {
namespace {

constexpr size_t kPrecision = 28;
constexpr size_t kWhole = 310, kFraction = 1074;  // of 1.8e308 (and a carry) and of 4.9e-324

void add(std::string& digits, const std::string& other) {
  int carry = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    const int sum = digits[i] - '0' + other[i] - '0' + carry;
    digits[i] = static_cast<char>('0' + sum % 10);
    carry = sum / 10;
  }
}

void subtract(std::string& digits, const std::string& smaller) {
  int borrowed = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    const int rest = digits[i] - smaller[i] - borrowed;
    borrowed = rest < 0;
    digits[i] = static_cast<char>('0' + rest + 10 * borrowed);
  }
}

void round_half_even(std::string& digits) {
  const size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos || first + kPrecision >= digits.size()) return;
  const size_t cut = first + kPrecision;
  const bool odd = (digits[cut - 1] - '0') % 2 == 1;
  const bool more_than_half =
      digits[cut] > '5' || (digits[cut] == '5' && digits.find_first_not_of('0', cut + 1) != std::string::npos);
  const bool up = more_than_half || (digits[cut] == '5' && odd);
  digits.replace(cut, std::string::npos, digits.size() - cut, '0');
  if (!up) return;
  std::string unit(digits.size(), '0');
  unit[cut - 1] = '1';
  add(digits, unit);
}

}  // namespace

Decimal::Decimal(double finite) : negative_(finite < 0) {
  char text[kWhole + kFraction + 2];  // glibc prints every digit
  const int length = std::snprintf(text, sizeof text, "%.*f", static_cast<int>(kFraction), std::abs(finite));
  digits_.assign(kWhole + kFraction + 1 - length, '0');
  digits_.append(text, length - kFraction - 1).append(text + length - kFraction, kFraction);
}

Decimal Decimal::operator+(const Decimal& other) const {
  const bool this_larger = other.digits_ < digits_;
  const Decimal &larger = this_larger ? *this : other, &smaller = this_larger ? other : *this;
  Decimal out = larger;
  if (negative_ == other.negative_) {
    add(out.digits_, smaller.digits_);
  } else {
    subtract(out.digits_, smaller.digits_);
  }
  round_half_even(out.digits_);
  return out;
}

bool Decimal::operator<(const Decimal& other) const {
  if (negative_ != other.negative_) return negative_ && digits_ + other.digits_ != std::string(2 * digits_.size(), '0');
  return negative_ ? other.digits_ < digits_ : digits_ < other.digits_;
}

double Decimal::value() const {
  const double size = std::strtod((digits_.substr(0, kWhole) + "." + digits_.substr(kWhole)).c_str(), nullptr);
  return negative_ ? -size : size;
}

}  // namespace freeatm::config
