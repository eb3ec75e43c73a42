// SPDX-License-Identifier: Apache-2.0
// Line plots as SVG text.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace freeatm::report {

struct Series {
  std::string name;
  std::vector<double> x, y;  // of one length; a y that is not finite leaves a gap
};

struct LinePlot {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  int width = 720, height = 320;  // in CSS pixels; the page scales it

  /// A <figure> with axes, legend and, on each point, its values as a tooltip.
  std::string html() const;
};

/// Multiples of 1, 2 or 5 times a power of ten that lie in [low, high]: at most `most` of them, and the finest such
/// step.
std::vector<double> nice_ticks(double low, double high, int64_t most);

/// The mean of every n consecutive points, n the smallest for which at most `most` are left: what a plot of a long run
/// shows.
Series thinned(const Series& series, int64_t most);

}  // namespace freeatm::report
