// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/statistics.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "freeatm/core/error.h"

namespace freeatm::tables {
namespace {

/// The probability of [-t, t]: for whole degrees a finite sum over powers of cos(theta), theta = atan(t / sqrt(v))
/// (Abramowitz and Stegun, 26.7.3 and 26.7.4).
double probability_inside(double t, int64_t degrees) {
  const double theta = std::atan(t / std::sqrt(double(degrees))), cosine = std::cos(theta), sine = std::sin(theta);
  const bool is_odd = degrees % 2 == 1;
  double sum = 0, term = is_odd ? cosine : 1.0;
  for (int64_t power = is_odd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= double(power + 1) / double(power + 2) * cosine * cosine;
  }
  return is_odd ? 2 / std::numbers::pi * (theta + sine * sum) : sine * sum;
}

}  // namespace

Summary summary_of(const std::vector<double>& values) {
  FREEATM_CHECK(!values.empty(), "nothing to summarise");
  const auto count = static_cast<int64_t>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / double(count);
  Summary summary{count, mean, {}};
  if (count < 2) return summary;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  summary.deviation = std::sqrt(squares / double(count - 1));
  return summary;
}

Difference paired_difference(const std::vector<double>& values, const std::vector<double>& baseline) {
  FREEATM_CHECK(values.size() == baseline.size(), "{} values and {} of the baseline", values.size(), baseline.size());
  std::vector<double> differences;
  for (size_t i = 0; i < values.size(); ++i) differences.push_back(values[i] - baseline[i]);
  Difference difference{summary_of(differences), {}};
  const Summary& of_pairs = difference.of_pairs;
  if (!of_pairs.deviation) return difference;
  const double half = student_t(0.95, of_pairs.count - 1) * *of_pairs.deviation / std::sqrt(double(of_pairs.count));
  difference.interval = {of_pairs.mean - half, of_pairs.mean + half};
  return difference;
}

double student_t(double inside, int64_t degrees) {
  FREEATM_CHECK(inside > 0 && inside < 1 && degrees >= 1, "no t for {} and {} degrees", inside, degrees);
  double low = 0, high = 1;
  while (probability_inside(high, degrees) < inside) high *= 2;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = (low + high) / 2;
    (probability_inside(middle, degrees) < inside ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace freeatm::tables
